"""The tracks of a pose table as exports need them: joints in the world, without rows that have no pose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ..cameras.level import ANKLE_HEIGHT
from ..pose_table import PoseTable
from ..world.feet import Feet, find_feet

_SPACING = 1.2  # metres between people whose roots are not known
_FARTHEST = 1000.0  # metres; a root further away is an error of its estimate
_ELSEWHERE = 0.5  # metres; feet further from the floor than this stand on something else
_STANDS = 15  # percentile of the height of the lowest joint at which a person stands on the floor


@dataclass(frozen=True)
class Track:
    """One person's joints in the world.

    Attributes:
        id: The track's number in the pose table.
        frames: (T,) decoded frames on which the person has a pose, rising. A gap is a step of more than 1.
        joints: (T, 17, 3) Human3.6M joints, metres, x right, y forward, z up, the floor at z = 0; finite.
        confidence: (T, 17), 0–1: how reliable each joint is.
        contact: (T, 2), 0–1: whether the left and the right foot stand on the floor, 0 for a foot that is not
            seen; None if the table does not tell.
        feet: Heels and toes on the same frames; None if the detector found none.
    """

    id: int
    frames: NDArray[np.int64]
    joints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    contact: NDArray[np.float64] | None = None
    feet: Feet | None = None

    def __post_init__(self) -> None:
        if self.joints.shape != (len(self.frames), 17, 3) or not len(self.frames):
            raise ValueError(f"expected (T, 17, 3) joints of T > 0 frames, found {self.joints.shape}")
        if not np.isfinite(self.joints).all() or (np.diff(self.frames) < 1).any():
            raise ValueError("expected finite joints and rising frames")


def tracks_in_world(
    table: PoseTable, *, people: int | None = None, select: Collection[int] = ()
) -> list[Track]:
    """Return the tracks that have poses, in the world, by id.

    Args:
        table: The pose table.
        people: How many to keep: those with most frames, and of equals the one with the largest keypoints.
            None keeps all.
        select: The ids to keep; empty keeps all.

    Raises:
        InputError: If the table has no poses.
        UsageError: If a selected track is not in the table, or has no poses.
    """
    if not len(table):
        raise InputError("the table has no rows: there are no people in it")
    joints = placed_joints(table)
    tracks: list[Track] = []
    has_contact = table.has_floor or bool(np.isfinite(table.contact).any())
    presence: dict[int, tuple[int, float]] = {}
    for number, rows in table.tracks():
        posed = np.flatnonzero(np.isfinite(joints[rows]).all((1, 2))) + rows.start
        if len(posed):
            feet = find_feet(table, rows, joints[rows])
            contact = table.contact[posed].astype(np.float64)
            tracks.append(
                Track(
                    id=number,
                    frames=table.frame[posed].astype(np.int64),
                    joints=joints[posed],
                    confidence=table.confidence[posed].astype(np.float64),
                    contact=np.nan_to_num(contact) if has_contact else None,
                    feet=None if feet is None else feet[posed - rows.start],
                )
            )
            presence[number] = (len(posed), _extent(table.keypoints[rows]))
    if not tracks:
        raise InputError("the table has no poses; `videopose lift` makes them")
    known = [track.id for track in tracks]
    if missing := [number for number in select if number not in known]:
        listed = ", ".join(map(str, known))
        raise UsageError(f"--select {missing[0]}: expected a track with poses, found only {listed}")
    if select:
        tracks = [track for track in tracks if track.id in select]
    most_present = sorted(tracks, key=lambda track: presence[track.id], reverse=True)
    return sorted(most_present[:people], key=lambda track: track.id)


def placed_joints(table: PoseTable) -> NDArray[np.float64]:
    """Return the joints of all people in the world, also on frames whose root is not known.

    Unknown roots are interpolated linearly. People without any root are put side by side. The distance of a
    person, and so the height of the feet, is known only roughly from one camera. Therefore each track is
    moved up or down as a whole, until its feet, when they are low, are on the floor. If a floor was found and
    the feet are far from it, the person stands on something else and is not moved.

    Returns:
        (N, 17, 3) metres, x right, y forward, z up, the floor at z = 0; NaN where there is no pose.
    """
    rotation = table.camera_rotation[table.frame].astype(np.float64)
    position = table.camera_position[table.frame].astype(np.float64)
    pose = np.einsum("nij,nkj->nki", rotation, table.pose.astype(np.float64))
    root = np.einsum("nij,nj->ni", rotation, table.root.astype(np.float64)) + position
    root[~(np.abs(root) < _FARTHEST).all(1)] = np.nan
    aside = 0.0
    for _, rows in table.tracks():
        known = np.isfinite(root[rows, 0])
        if known.any():
            frames = table.frame[rows]
            for axis in range(3):
                root[rows, axis] = np.interp(frames, frames[known], root[rows, axis][known])
        else:
            root[rows], aside = (aside, 0, 0), aside + _SPACING
        lowest = pose[rows, :, 2].min(1) + root[rows, 2]
        lowest = lowest[np.isfinite(lowest)]
        if len(lowest):
            above = np.percentile(lowest, _STANDS) - ANKLE_HEIGHT
            if abs(above) < _ELSEWHERE or not (known.any() and table.has_floor):
                root[rows, 2] -= above
    return pose + root[:, None]


def _extent(keypoints: NDArray[np.float32]) -> float:
    """Return the usual height of a person's keypoints, in pixels; 0 if no keypoint is finite."""
    heights = np.ptp(keypoints[..., 1], axis=1)
    finite = heights[np.isfinite(heights)]
    return float(np.median(finite)) if len(finite) else 0.0
