"""Tell who is who among keypoints made elsewhere: merge people who are written twice, and track them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import FEET, People
from ...detectors.tracking import Track, keypoint_boxes, link
from ...skeleton import COCO17, Skeleton, convert
from .sightings import Sightings

_SAME = 0.03  # keypoints of one person differ by less than this part of the person's size


def merge_duplicates(found: Sightings) -> Sightings:
    """Return the people without those that are written more than once on a frame, and a note on it.

    Of people whose keypoints are at the same places, the one with the number that the file has most often is
    kept, and of these the one with the highest scores.
    """
    order = np.argsort(found.frame, kind="stable")
    starts = np.flatnonzero(np.diff(found.frame[order], prepend=found.frame[order][0] - 1))
    counts = Counter(found.person.tolist())
    dropped: list[int] = []
    for rows in np.split(order, starts[1:]):
        if len(rows) > 1:
            often = np.array([counts[int(person)] for person in found.person[rows]])
            score = found.keypoints[rows, :, 2].sum(1)
            dropped += _repeated(rows[np.lexsort((-score, -often))], found.keypoints)
    if not dropped:
        return found
    kept = np.setdiff1d(np.arange(len(found.frame)), dropped)
    frames = len(np.unique(found.frame[dropped]))
    where = "1 frame" if frames == 1 else f"{frames} frames"
    return replace(
        found,
        frame=found.frame[kept],
        person=found.person[kept],
        keypoints=found.keypoints[kept],
        notes=(*found.notes, f"people are written twice on {where}, and are merged"),
    )


def _repeated(rows: NDArray[np.intp], keypoints: NDArray[np.float32]) -> list[int]:
    """Return the rows of one frame whose keypoints are those of an earlier row."""
    kept: list[int] = []
    repeated: list[int] = []
    for row in rows.tolist():
        one = keypoints[row]
        others = keypoints[kept]
        both = (one[None, :, 2] > 0) & (others[..., 2] > 0)
        apart = np.linalg.norm(others[..., :2] - one[None, :, :2], axis=-1)
        seen = one[one[:, 2] > 0, :2]
        size = float(np.linalg.norm(np.ptp(seen, axis=0)))
        mean = (apart * both).sum(1) / np.maximum(both.sum(1), 1)
        alike = (mean <= _SAME * size) & (2 * both.sum(1) >= len(seen))
        (repeated if alike.any() else kept).append(row)
    return repeated


def follow(found: Sightings, frames: NDArray[np.int32], times: NDArray[np.float64]) -> list[Track]:
    """Track people: by the file's numbers of people if they are distinct, else by `link`.

    Heels and toes are kept as the tracks' `extra` keypoints, if the layout has them and any was found.

    Args:
        found: The keypoints.
        frames: (n,) the frames that were decoded, rising.
        times: (n,) their times in seconds.
    """
    at = np.searchsorted(frames, found.frame).clip(max=len(frames) - 1)
    there = frames[at] == found.frame
    frame, person = found.frame[there], found.person[there]
    keypoints = convert(found.keypoints[there], found.layout, COCO17)
    feet = _feet(found.keypoints[there], found.layout)
    names = () if feet is None else FEET
    if _tells_apart(frame, person):
        tracks = []
        for number, identity in enumerate(np.unique(person)):
            rows = np.flatnonzero(person == identity)
            rows = rows[np.argsort(frame[rows])]
            tracks.append(
                Track(
                    number,
                    frame[rows].astype(np.int32),
                    keypoints[rows],
                    np.zeros(len(rows), np.bool_),
                    None if feet is None else feet[rows],
                    names,
                )
            )
        return tracks
    order = np.argsort(frame, kind="stable")
    rows_of = np.split(order, np.searchsorted(frame[order], frames[1:]))
    people = [
        replace(_people(keypoints[rows]), extra=None if feet is None else feet[rows], extra_names=names)
        for rows in rows_of
    ]
    return link(people, frames=frames, times=times)


def _feet(keypoints: NDArray[np.float32], layout: Skeleton) -> NDArray[np.float32] | None:
    """Heels and toes (N, 6, 3), as `FEET`; None if the layout has none, or none was found."""
    if not {*FEET} <= {*layout.names}:
        return None
    feet = keypoints[:, list(layout.indices(*FEET))]
    return feet if (feet[..., 2] > 0).any() else None


def _tells_apart(frame: NDArray[np.int64], person: NDArray[np.int64]) -> bool:
    """Whether people on one frame have different numbers. AlphaPose without tracking numbers all 0."""
    return (
        bool(len(person))
        and bool((person >= 0).all())
        and len({*zip(frame, person, strict=True)}) == len(frame)
    )


def _people(keypoints: NDArray[np.float32]) -> People:
    """Return people with (P, 17, 3) keypoints. Those that score 0 are placed at the mean of the others."""
    seen = keypoints[..., 2:] > 0
    middle = (keypoints[..., :2] * seen).sum(1) / np.maximum(seen.sum(1), 1)
    keypoints = keypoints.copy()
    keypoints[..., :2] = np.where(seen, keypoints[..., :2], middle[:, None])
    return People(keypoint_boxes(keypoints), keypoints[..., 2].mean(1), keypoints)
