"""Fit the root's path through camera space to lifted poses and keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solveh_banded

from ...parts import parts_of
from ..cameras.intrinsics import Intrinsics
from .pinhole_equations import (
    ACCELERATION,
    DEPTHS,
    LATERAL_ERROR,
    equations,
    limb_points,
    limb_rays,
    robust_weight,
    trusted,
)

_PRIOR_ERROR = 0.1  # of the distance: usual error of a trajectory model
_SHORTEST_STEP = 0.1  # of the median time step; shorter steps are lengthened to this
_ROUNDS = 6  # of reweighting
_REACH = 6  # entries beside the diagonal: the third root after a frame's own


def fit_root(
    pose: NDArray[np.float32],
    keypoints: NDArray[np.float32],
    times: NDArray[np.float64],
    camera: Intrinsics,
    *,
    prior: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Fit the root's path of one unbroken track.

    With the pose known, the pinhole equations x = (X + Tx) / (Z + Tz) are linear in the root T. All frames
    are solved together as one banded system. A penalty on acceleration reduces jitter of the depth, which a
    single frame determines poorly. The system is solved several times, each time with less weight on joints
    with large residuals (Geman–McClure).

    Args:
        pose: H36M17 poses in metres, root at 0.
        keypoints: COCO17 keypoints: x, y in undistorted pixels, and score.
        times: Seconds of the frames, even or not.
        camera: The camera that filmed.
        prior: The root as a trajectory model gives it. It is refined, and ignored in frames where the
            keypoints contradict it.

    Returns:
        The root in camera space, metres, float32. NaN where fewer than four limb keypoints are trusted or the
        solution lies behind the camera.

    Shape:
        pose and keypoints (T, 17, 3); times (T,); prior and result (T, 3).
    """
    frames = len(pose)
    parts = parts_of(frames)  # whose equations are set up at once, which bounds the memory
    usable = np.zeros(frames, np.bool_)
    for part in parts:
        usable[part] = trusted(limb_rays(keypoints[part], camera)[1])
    unknown = np.full((frames, 3), np.nan, np.float32)
    if not usable.any():
        return unknown

    acceleration = _second_differences(times)
    trust = np.zeros(frames)
    root = np.zeros((frames, 3))
    # Upper banded storage: element (i, j) of the matrix stands at [reach + i − j, j].
    banded = np.empty((_REACH + 1, 3 * frames), order="F")  # as LAPACK reads it, which else makes a copy
    for turn in range(_ROUNDS):
        right = np.empty((frames, 3))
        _set_acceleration(banded, acceleration)
        for part in parts:
            points = limb_points(pose[part])
            rays, score = limb_rays(keypoints[part], camera)
            weight = robust_weight(points + root[part, None], rays, score) if turn else score**2
            normal, right[part] = equations(points, rays, weight / LATERAL_ERROR**2)
            normal += 1e-5 * np.eye(3)  # keeps the system solvable if a frame has no trusted keypoint
            if prior is not None:
                normal += trust[part, None, None] * np.eye(3)
                right[part] += trust[part, None] * prior[part]
            for row in range(3):
                for column in range(row, 3):
                    of_part = banded[_REACH + row - column, column::3][part]
                    of_part += normal[:, row, column]
        try:
            solved = solveh_banded(banded, right.reshape(-1), overwrite_ab=True, overwrite_b=True)
        except (LinAlgError, ValueError):
            return unknown
        root = np.asarray(solved, np.float64).reshape(frames, 3)
        if prior is not None:
            spread = _PRIOR_ERROR * np.linalg.norm(root, axis=1).clip(DEPTHS[0])
            away = np.linalg.norm(root - prior, axis=1) / spread
            trust = 1 / (spread * (1 + (away / 2) ** 2)) ** 2
    depth = root[:, 2]
    seen = usable & (depth > DEPTHS[0]) & (depth < DEPTHS[1])
    for part in parts:
        seen[part] &= (limb_points(pose[part])[..., 2] + depth[part, None] > 0.05).all(1)
    unknown[seen] = root[seen]
    return unknown


def _second_differences(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T − 2, 3): factors of three neighbouring roots that give their acceleration.

    The unit is the usual acceleration, and the sum of squares approximates an integral over time in median
    steps.
    """
    steps = np.diff(times)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1 / 30
    steps = np.maximum(steps, _SHORTEST_STEP * usual)
    before, after = steps[:-1], steps[1:]
    both = before + after
    differences = np.stack([2 / (before * both), -2 / (before * after), 2 / (after * both)], 1)
    weighted: NDArray[np.float64] = differences * np.sqrt(both / (2 * usual))[:, None] / ACCELERATION
    return weighted


def _set_acceleration(banded: NDArray[np.float64], acceleration: NDArray[np.float64]) -> None:
    """Let a matrix in upper banded storage, of three rows a frame, stand for |acceleration T|²."""
    banded[:] = 0
    frames = banded.shape[1] // 3
    if frames > 2:
        for i in range(3):
            for j in range(i, 3):
                part = banded[_REACH - 3 * (j - i)].reshape(frames, 3)
                part[j : frames - 2 + j] += (acceleration[:, i] * acceleration[:, j])[:, None]
