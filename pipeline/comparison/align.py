"""Put true motion where a person of a pose table is, as a table of the same frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...lifting.evaluation.metrics import p_mpjpe
from ...lifting.exports.tracks import Track, tracks_in_world
from ...lifting.pose_table import PoseTable
from .truth import Truth


def truth_table(truth: Truth, table: PoseTable, start: float = 0.0) -> PoseTable:
    """Return the truth as a pose table of the same frames.

    Its heading and place are those of the table's main person: it is turned about the vertical and moved over
    the floor by least squares. Its size is not changed.

    Args:
        truth: The true motion.
        table: A table of the video.
        start: The truth's time in seconds at the video's first frame.

    Raises:
        InputError: The table has no poses.
        UsageError: The truth has no frame at the times of the main person.
    """
    person = _main_person(table)
    joints = truth.at(table.time + start)
    frames = np.flatnonzero(np.isfinite(joints[:, 0, 0]))
    common = np.isin(person.frames, frames)
    if not common.any():
        end = len(truth.joints) / truth.rate
        raise UsageError(
            f"--truth: expected motion at the times of person {person.id}, found {end:.1f} s of it; "
            "--truth-start moves it"
        )
    moved = _moved(joints[frames], joints[person.frames[common]], person.joints[common])
    count = len(frames)
    empty = PoseTable(
        track=np.full(count, person.id, np.int32),
        frame=frames.astype(np.int32),
        keypoints=np.zeros((count, 17, 3), np.float32),
        pose=np.zeros((count, 17, 3), np.float32),
        root=np.zeros((count, 3), np.float32),
        filled=np.zeros(count, np.bool_),
        confidence=np.ones((count, 17), np.float32),
        time=table.time,
        size=table.size,
        intrinsics=table.intrinsics,
        meta={key: value for key, value in table.meta.items() if key in ("world", "video")},
        camera_rotation=table.camera_rotation,
        camera_position=table.camera_position,
    )
    return empty.with_world(moved)


def error_of(table: PoseTable, truth: PoseTable) -> float:
    """Return the P-MPJPE of the truth's person in a table, in millimetres; NaN without the person."""
    rows, true_rows = np.flatnonzero(table.track == truth.track[0]), np.arange(len(truth))
    rows = rows[np.isfinite(table.pose[rows]).all((1, 2))]
    _, own, other = np.intersect1d(table.frame[rows], truth.frame[true_rows], return_indices=True)
    if not len(own):
        return float("nan")
    return float(1000 * p_mpjpe(table.pose[rows[own]], truth.pose[other]).mean())


def on_same_frames(table: PoseTable, other: PoseTable) -> bool:
    """Whether two tables are of one video, as far as they tell."""
    return len(table.time) == len(other.time) and table.size == other.size


def _main_person(table: PoseTable) -> Track:
    return max(tracks_in_world(table), key=lambda track: len(track.frames))


def _moved(
    joints: NDArray[np.float64], common: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn joints about z and move them along x and y, so that `common` is nearest to `target`."""
    middle, wanted = common.mean((0, 1)), target.mean((0, 1))
    a, b = (common - middle)[..., :2], (target - wanted)[..., :2]
    angle = np.arctan2((a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(), (a * b).sum())
    sine, cosine = np.sin(angle), np.cos(angle)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    up = np.array([0, 0, 1])
    return (joints - middle) @ turn.T + wanted * (1 - up) + middle * up
