"""Place each track on the floor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..lifting.cameras.level import ANKLE_HEIGHT
from ..lifting.pose_table import PoseTable

ELSEWHERE = 0.5
"""Metres: feet that are further from the floor stand on something else, if the floor is known."""

_SPACING = 1.2  # metres between people whose place is not known


def place_tracks(
    table: PoseTable,
    tracks: Sequence[slice],
    pose: NDArray[np.float32],
    lifted: NDArray[np.bool_],
    root: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return where each row's root stands, (N, 3) metres; the floor is at y = 0.

    People are placed at their roots. Gaps in the roots are interpolated linearly. People without any root are
    placed side by side, in their order from left to right in the video. With one camera, the distance of a
    person and therefore the height of their feet is uncertain. So each track is moved up or down as a whole,
    until the feet are on the floor when they are lowest. If the feet are far above the floor, the person
    stands on an object, and the track is not moved.

    Args:
        table: The table that the rows belong to.
        tracks: The rows of each track.
        pose: (N, 17, 3) Levelled poses, in metres, with the root at 0.
        lifted: (N,) Which rows have a pose.
        root: (N, 3) Levelled roots, in metres, NaN where unknown. Changed in place.
    """
    known = np.isfinite(root[:, 0])
    placed = [rows for rows in tracks if known[rows].any()]
    unplaced = [rows for rows in tracks if not known[rows].any()]
    for rows in placed:
        frames, seen = table.frame[rows], known[rows]
        for axis in range(3):
            values = root[rows, axis]
            root[rows, axis] = np.interp(frames, frames[seen], values[seen])
    left, away = 0.0, 0.0
    if placed:  # to the right of the people whose place is known, at the same distance from the camera
        left = float(np.percentile(root[known, 0], 98)) + _SPACING
        away = float(np.median(root[known, 2]))
    for rows, x in _side_by_side(table, unplaced):
        root[rows] = (left + x, 0, away)
    for rows in tracks:
        lowest = (pose[rows, :, 1].max(1) + root[rows, 1])[lifted[rows]]
        if len(lowest):
            below = np.percentile(lowest, 85) + ANKLE_HEIGHT
            if abs(below) < ELSEWHERE or not (known[rows].any() and table.has_floor):
                root[rows, 1] -= below
    return root


def _side_by_side(table: PoseTable, tracks: Sequence[slice]) -> list[tuple[slice, float]]:
    """An x for each track; tracks that do not overlap in time may share one."""
    slots: list[list[slice]] = []
    frame = table.frame
    for rows in sorted(tracks, key=lambda rows: frame[rows.start]):
        free = (slot for slot in slots if frame[slot[-1].stop - 1] < frame[rows.start])
        slot = next(free, None)
        if slot is None:
            slots.append([rows])
        else:
            slot.append(rows)
    seen_at = [np.median(np.nan_to_num(table.keypoints[slot[0], :, 0])) for slot in slots]
    order = np.argsort(seen_at)
    return [(rows, place * _SPACING) for place, index in enumerate(order) for rows in slots[index]]
