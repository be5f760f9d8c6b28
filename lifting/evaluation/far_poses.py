"""Poses that are far from everything a lifter was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...skeleton import H36M17
from ..datasets.motion_capture import MotionCapture

_LHIP, _RHIP = H36M17.index("lhip"), H36M17.index("rhip")
_MIRROR = list(H36M17.mirror)
_EVERY = 0.2  # seconds between the frames of a clip that are compared
_MOST = 30_000  # training frames, spread evenly
_CHUNK = 2048


def far_frames(
    table: MotionCapture, training: Sequence[MotionCapture], *, share: float = 0.1
) -> list[NDArray[np.bool_]]:
    """Find the frames of a table whose poses are farthest from any training pose.

    The distance is the mean over the joints after both people are moved to the same hip and turned about the
    vertical until their hips are parallel. Training poses count mirrored, too.

    Args:
        table: The people to measure on.
        training: What the lifter was trained on.
        share: Share of the frames to find.

    Returns:
        For each clip (T,), at the table's frame rate.

    Raises:
        ValueError: There is no training motion.
    """
    step = max(1, round(_EVERY * table.rate))
    clips = [table.clip(index) for index in range(len(table))]
    known = _training_poses(training)
    distances = [_distances(aligned(clip[::step]), known) for clip in clips]
    limit = float(np.quantile(np.concatenate(distances), 1 - share))
    return [np.repeat(d >= limit, step)[: len(clip)] for d, clip in zip(distances, clips, strict=True)]


def aligned(joints: NDArray[np.floating]) -> NDArray[np.float32]:
    """Move the hip of each pose (T, 17+, 3), z up, to 0 and turn the line of the hips to the x axis."""
    body = joints[:, : len(H36M17)] - joints[:, :1]
    across = body[:, _LHIP, :2] - body[:, _RHIP, :2]
    c, s = (across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)).T
    x, y = body[..., 0], body[..., 1]
    turned = [c[:, None] * x + s[:, None] * y, c[:, None] * y - s[:, None] * x, body[..., 2]]
    return np.stack(turned, -1).astype(np.float32)


def _training_poses(training: Sequence[MotionCapture]) -> Tensor:
    """(K, 17, 3) aligned poses of all clips, and mirrored."""
    total = sum(each.minutes * 60 for each in training)
    poses = []
    for each in training:
        step = max(1, round(max(_EVERY, total / _MOST) * each.rate))
        poses += [aligned(each.clip(index)[::step]) for index in range(len(each))]
    if not poses:
        raise ValueError("expected training motion to compare with, found none")
    known = np.concatenate(poses)
    mirrored = known[:, _MIRROR] * np.array([-1, 1, 1], np.float32)  # left and right exchanged, x turned back
    return torch.from_numpy(np.concatenate([known, mirrored]))


def _distances(poses: NDArray[np.float32], known: Tensor) -> NDArray[np.float64]:
    """(T,): root mean square distance of the joints to the nearest known pose."""
    rows = torch.from_numpy(poses).flatten(1)
    flat = known.flatten(1)
    nearest = [torch.cdist(rows[i : i + _CHUNK], flat).amin(1) for i in range(0, len(rows), _CHUNK)]
    distances: NDArray[np.float64] = torch.cat(nearest).double().numpy() / len(H36M17) ** 0.5
    return distances
