"""Where the root is: the path through camera space that best reprojects lifted poses on the keypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solveh_banded

from ...skeleton import COCO17, H36M17, SKELETONS
from ..cameras.input_space import centre, turn_back
from ..cameras.intrinsics import H36M_FOCAL, Intrinsics
from .offline import predict, seen_by
from .resampling import even_times, interpolate, read_at

if TYPE_CHECKING:
    from .lifter import Lifter

# Joints that COCO17 and H36M17 share exactly.
_LIMBS = [n for n in H36M17.names if n[0] in "lr"]
_POSE = [H36M17.index(n) for n in _LIMBS]
_KEYPOINT = [COCO17.index(n.replace("foot", "ankle")) for n in _LIMBS]

_LATERAL_ERROR = 0.03  # metres: what a keypoint and a lifted joint are off by, together
_ACCELERATION = 4.0  # metres/s²: what a hip commonly does
_PRIOR_ERROR = 0.1  # of the distance: what a trajectory model is commonly off by
_SHORTEST_STEP = 0.1  # of the usual one; frames closer in time than that count as so far apart
_ROUNDS = 6
_DEPTHS = (0.3, 200.0)  # metres: nothing outside is believed


def fit_root(
    pose: NDArray[np.float32],
    keypoints: NDArray[np.float32],
    times: NDArray[np.float64],
    camera: Intrinsics,
    *,
    prior: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The root's path of one unbroken track.

    pose: (T, 17, 3) H36M17, metres, root at 0. keypoints: (T, 17, 3) COCO17 pixels, undistorted, and scores.
    times: (T,) seconds, even or not. prior: (T, 3), where a trajectory model puts the root
    (`predict_root`), to be refined; no notice is taken of it where the keypoints contradict it. Returns
    (T, 3) float32, camera space, metres; NaN where the keypoints cannot tell (hardly any is trusted, or the
    answer lies behind the camera).

    With the pose known, the pinhole equations x = (X + Tx) / (Z + Tz) are linear in the root T. All frames
    are solved together, with a penalty on acceleration that keeps depth, which one frame tells poorly, from
    trembling: a banded system, re-weighted a few times so that outlying joints lose their say.
    """
    frames = len(pose)
    rays = (keypoints[:, _KEYPOINT, :2] - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    score = np.clip(keypoints[:, _KEYPOINT, 2], 0.0, 1.0).astype(np.float64)
    points = pose[:, _POSE].astype(np.float64)
    trusted = (score > 0.2).sum(1) >= 4
    unknown = np.full((frames, 3), np.nan, np.float32)
    if not trusted.any():
        return unknown

    acceleration = _second_differences(times)
    weight, trust = score**2, np.zeros(frames)
    wanted = np.zeros((frames, 3)) if prior is None else prior.astype(np.float64)
    root = np.zeros((frames, 3))
    for _ in range(_ROUNDS):
        precision = weight / _LATERAL_ERROR**2
        try:
            root = _solve(points, rays, precision, acceleration, wanted, trust)
        except (LinAlgError, ValueError):
            return unknown
        placed = points + root[:, None]
        off = np.linalg.norm(placed[..., :2] - rays * placed[..., 2:], axis=-1)
        weight = score**2 / (1 + (off / (2 * _LATERAL_ERROR)) ** 2) ** 2  # Geman–McClure
        if prior is not None:
            spread = _PRIOR_ERROR * np.linalg.norm(root, axis=1).clip(_DEPTHS[0])
            away = np.linalg.norm(root - wanted, axis=1) / spread
            trust = 1 / (spread * (1 + (away / 2) ** 2)) ** 2
    depth = root[:, 2]
    seen = trusted & (depth > _DEPTHS[0]) & (depth < _DEPTHS[1]) & (placed[..., 2] > 0.05).all(1)
    unknown[seen] = root[seen]
    return unknown


def predict_root(
    lifter: Lifter,
    keypoints: NDArray[np.float32],
    times: NDArray[np.float64],
    *,
    camera: Intrinsics,
    size: tuple[int, int],
    flip: bool = True,
) -> NDArray[np.float32] | None:
    """Where the lifter's trajectory model puts the root, None where it has no such model.

    Arguments as of `inference.lift_track`. Returns (T, 3) float32, camera space, metres. A model that reads
    normalised screen coordinates knows Human3.6M's focal length; with another, the same picture is of
    somebody further away or nearer, by the ratio.
    Raises `UsageError` for a lifter of another layout.
    """
    if lifter.trajectory is None:
        return None
    seen = seen_by(lifter, keypoints, camera=camera, size=size)
    grid = even_times(times, lifter.rate)
    if grid is not None:
        seen = read_at(seen, times, grid)
    mirror = SKELETONS[lifter.layout] if flip else None
    if lifter.input_space == "centred":
        inputs, rotation = centre(torch.from_numpy(seen / H36M_FOCAL))
        root = predict(lifter.trajectory, inputs.numpy(), flip=mirror, flip_out=None)
        root = turn_back(torch.from_numpy(root), rotation).numpy()
    else:
        root = predict(lifter.trajectory, seen, flip=mirror, flip_out=None)
        if lifter.input_space == "screen":
            root[..., 2] *= 2 * camera.fx / size[0] / H36M_FOCAL
    return (root if grid is None else interpolate(root, grid, times))[:, 0]


def _second_differences(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T − 2, 3): what to multiply three neighbouring roots by to get their acceleration, in units of the
    usual one, so that squares add up to an integral over time in usual steps."""
    steps = np.diff(times)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1 / 30
    steps = np.maximum(steps, _SHORTEST_STEP * usual)
    before, after = steps[:-1], steps[1:]
    both = before + after
    differences = np.stack([2 / (before * both), -2 / (before * after), 2 / (after * both)], 1)
    weighted: NDArray[np.float64] = differences * np.sqrt(both / (2 * usual))[:, None] / _ACCELERATION
    return weighted


def _solve(
    points: NDArray[np.float64],
    rays: NDArray[np.float64],
    precision: NDArray[np.float64],
    acceleration: NDArray[np.float64],
    prior: NDArray[np.float64],
    trust: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Minimise Σ precision · |P_xy + T_xy − ray (P_z + T_z)|² + |acceleration T|² + trust · |T − prior|²."""
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
    normal += trust[:, None, None] * np.eye(3)
    right += trust[:, None] * prior

    # Upper banded storage: element (i, j) of the matrix stands at [reach + i − j, j].
    reach = 6
    banded = np.zeros((reach + 1, 3 * frames))
    for row in range(3):
        for column in range(row, 3):
            banded[reach + row - column, column::3] = normal[:, row, column]
    if frames > 2:
        for i in range(3):
            for j in range(i, 3):
                part = banded[reach - 3 * (j - i)].reshape(frames, 3)
                part[j : frames - 2 + j] += (acceleration[:, i] * acceleration[:, j])[:, None]
    solved: NDArray[np.float64] = solveh_banded(banded, right.reshape(-1)).reshape(frames, 3)
    return solved
