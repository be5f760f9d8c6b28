"""Where the root is: the path through camera space that best reprojects lifted poses on the keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solveh_banded

from .camera import Intrinsics
from .skeleton import COCO17, H36M17

# Joints that COCO17 and H36M17 share exactly.
_LIMBS = [n for n in H36M17.names if n[0] in "lr"]
_POSE = [H36M17.index(n) for n in _LIMBS]
_KEYPOINT = [COCO17.index(n.replace("foot", "ankle")) for n in _LIMBS]

_LATERAL_ERROR = 0.03  # metres: what a keypoint and a lifted joint are off by, together
_ACCELERATION = 4.0  # metres/s²: what a hip commonly does
_ROUNDS = 6
_DEPTHS = (0.3, 200.0)  # metres: nothing outside is believed


def fit_root(
    pose: NDArray[np.float32],
    keypoints: NDArray[np.float32],
    times: NDArray[np.float64],
    camera: Intrinsics,
) -> NDArray[np.float32]:
    """The root's path of one unbroken track.

    pose: (T, 17, 3) H36M17, metres, root at 0. keypoints: (T, 17, 3) COCO17 pixels and scores. times: (T,)
    seconds. Returns (T, 3) float32, camera space, metres; NaN where the keypoints cannot tell (hardly any
    is trusted, or the answer lies behind the camera).

    With the pose known, the pinhole equations x = (X + Tx) / (Z + Tz) are linear in the root T. All frames
    are solved together, with a penalty on acceleration (as if frames were evenly spaced) that keeps depth,
    which one frame tells poorly, from trembling: a banded system, re-weighted a few times so that outlying
    joints lose their say.
    """
    frames = len(pose)
    rays = (keypoints[:, _KEYPOINT, :2] - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    score = np.clip(keypoints[:, _KEYPOINT, 2], 0.0, 1.0).astype(np.float64)
    points = pose[:, _POSE].astype(np.float64)
    trusted = (score > 0.2).sum(1) >= 4
    unknown = np.full((frames, 3), np.nan, np.float32)
    if not trusted.any():
        return unknown

    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1 / 30
    stiffness = 1 / (_ACCELERATION * step * step) ** 2
    weight = score**2
    root = np.zeros((frames, 3))
    for _ in range(_ROUNDS):
        precision = weight / _LATERAL_ERROR**2
        try:
            root = _solve(points, rays, precision, stiffness)
        except (LinAlgError, ValueError):
            return unknown
        placed = points + root[:, None]
        off = np.linalg.norm(placed[..., :2] - rays * placed[..., 2:], axis=-1)
        weight = score**2 / (1 + (off / (2 * _LATERAL_ERROR)) ** 2) ** 2  # Geman–McClure
    depth = root[:, 2]
    seen = trusted & (depth > _DEPTHS[0]) & (depth < _DEPTHS[1]) & (placed[..., 2] > 0.05).all(1)
    unknown[seen] = root[seen]
    return unknown


def _solve(
    points: NDArray[np.float64],
    rays: NDArray[np.float64],
    precision: NDArray[np.float64],
    stiffness: float,
) -> NDArray[np.float64]:
    """Minimise Σ precision · |P_xy + T_xy − ray (P_z + T_z)|² + stiffness · |second difference of T|²."""
    frames = len(points)
    total = precision.sum(1)
    towards = np.einsum("fj,fjd->fd", precision, rays)
    normal = np.zeros((frames, 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = total
    normal[:, 0, 2] = normal[:, 2, 0] = -towards[:, 0]
    normal[:, 1, 2] = normal[:, 2, 1] = -towards[:, 1]
    normal[:, 2, 2] = np.einsum("fj,fjd->f", precision, rays**2)
    normal += 1e-5 * np.eye(3)  # so that a frame of which nothing is known does not spoil the others
    offset = rays * points[..., 2:] - points[..., :2]
    right = np.empty((frames, 3))
    right[:, :2] = np.einsum("fj,fjd->fd", precision, offset)
    right[:, 2] = -np.einsum("fj,fjd,fjd->f", precision, rays, offset)

    # Upper banded storage: element (i, j) of the matrix stands at [reach + i − j, j].
    reach = 6
    banded = np.zeros((reach + 1, 3 * frames))
    for row in range(3):
        for column in range(row, 3):
            banded[reach + row - column, column::3] = normal[:, row, column]
    if frames > 2:
        second = np.array([1.0, -2.0, 1.0])
        for i in range(3):
            for j in range(i, 3):
                part = banded[reach - 3 * (j - i)].reshape(frames, 3)
                part[j : frames - 2 + j] += stiffness * second[i] * second[j]
    solved: NDArray[np.float64] = solveh_banded(banded, right.reshape(-1)).reshape(frames, 3)
    return solved
