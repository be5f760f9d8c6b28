"""The pinhole equations of a root: x = (X + Tx) / (Z + Tz), linear in the root T if the pose is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17, H36M17
from ..cameras.intrinsics import Intrinsics

Values = NDArray[np.float64]

# Joints that COCO17 and H36M17 share exactly.
_LIMBS = [n for n in H36M17.names if n[0] in "lr"]
_POSE = [H36M17.index(n) for n in _LIMBS]
_KEYPOINT = [COCO17.index(n.replace("foot", "ankle")) for n in _LIMBS]

LATERAL_ERROR = 0.03
"""Metres: usual error of a keypoint and a lifted joint together."""

ACCELERATION = 4.0
"""Metres/s²: usual acceleration of a hip."""

DEPTHS = (0.3, 200.0)
"""Metres: depths outside are rejected."""

_TRUSTED, _FEWEST = 0.2, 4  # a root needs this many limb keypoints with a larger score


def limb_points(pose: NDArray[np.float32]) -> Values:
    """Return the limb joints of H36M17 poses, (T, 17, 3) → (T, L, 3)."""
    return pose[:, _POSE].astype(np.float64)


def limb_rays(keypoints: NDArray[np.float32], camera: Intrinsics) -> tuple[Values, Values]:
    """Return the rays (T, L, 2) and the scores (T, L), 0–1, of the same joints of COCO17 keypoints.

    Args:
        keypoints: (T, 17, 3), x, y in undistorted pixels, and score.
        camera: The camera that filmed.
    """
    rays = (keypoints[:, _KEYPOINT, :2] - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
    return rays, np.clip(keypoints[:, _KEYPOINT, 2], 0.0, 1.0).astype(np.float64)


def trusted(score: Values) -> NDArray[np.bool_]:
    """Return (T,) whether enough limb keypoints have a score with which the root can be estimated."""
    return np.asarray((score > _TRUSTED).sum(1) >= _FEWEST)


def robust_weight(placed: Values, rays: Values, score: Values) -> Values:
    """Return the weights (T, L) of keypoints: less for large residuals (Geman–McClure).

    Args:
        placed: (T, L, 3), the joints in camera space.
        rays: (T, L, 2)
        score: (T, L)
    """
    off = np.linalg.norm(placed[..., :2] - rays * placed[..., 2:], axis=-1)
    return np.asarray(score**2 / (1 + (off / (2 * LATERAL_ERROR)) ** 2) ** 2)


def equations(points: Values, rays: Values, precision: Values) -> tuple[Values, Values]:
    """Return the normal equations of Σ precision · |P_xy + T_xy − ray (P_z + T_z)|², frame by frame.

    Shape:
        points (T, L, 3); rays (T, L, 2); precision (T, L); result (T, 3, 3) and (T, 3).
    """
    total = precision.sum(1)
    towards = np.einsum("fj,fjd->fd", precision, rays)
    normal = np.zeros((len(points), 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = total
    normal[:, 0, 2] = normal[:, 2, 0] = -towards[:, 0]
    normal[:, 1, 2] = normal[:, 2, 1] = -towards[:, 1]
    normal[:, 2, 2] = np.einsum("fj,fjd->f", precision, rays**2)
    offset = rays * points[..., 2:] - points[..., :2]
    right = np.empty((len(points), 3))
    right[:, :2] = np.einsum("fj,fjd->fd", precision, offset)
    right[:, 2] = -np.einsum("fj,fjd,fjd->f", precision, rays, offset)
    return normal, right
