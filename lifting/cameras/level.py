"""Estimate the tilt and height of a camera from the poses of people who stand. The result is approximate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17
from ..vectors import unit

_HIP, _THORAX = H36M17.index("hip"), H36M17.index("thorax")
_FEET = [H36M17.index("lfoot"), H36M17.index("rfoot")]
_UP = np.array([0.0, -1.0, 0.0])

LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""World ← camera of a level camera: its right is x, its forward is y, its down is −z."""

ANKLE_HEIGHT = 0.07
"""Metres from the floor to the ankle of a person who stands."""

_STRAIGHT = 25.0  # degrees between legs and trunk, up to which a person counts as standing
_LEVEL = 8.0  # degrees; smaller tilts are ignored, because people who walk or reach lean this much
_TILTED = 60.0  # degrees; larger tilts are ignored, because they are of people who lie straight
_ENOUGH = 15  # standing poses to judge by


def level_camera(
    poses: NDArray[np.floating], roots: NDArray[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """Level a camera by people's poses, and find its height by their feet.

    Args:
        poses: (N, 17, 3) H36M17 in camera space, root at 0; NaN where not lifted.
        roots: (N, 3) in camera space, metres; NaN where not estimated.

    Returns:
        The rotation (3, 3), world ← camera, and the camera's height above the floor in metres (0 if no root
        is known).
    """
    rotation = LEVEL @ level(poses)
    lowest = ((poses + roots[:, None]) @ rotation[2]).min(1)
    lowest = lowest[np.isfinite(lowest)]
    return rotation, float(ANKLE_HEIGHT - np.percentile(lowest, 15)) if len(lowest) else 0.0


def level(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Find the rotation from camera space to a space whose y points straight down.

    People who stand are upright on average, so the mean direction from their feet to their necks is up. If
    few people stand, or the mean is level within 8°, the camera is taken to be level.

    Args:
        poses: (N, 17, 3) H36M17 in camera space; NaN where not lifted.

    Returns:
        (3, 3); the identity if the camera is taken to be level.
    """
    feet, hip, thorax = poses[:, _FEET].mean(1), poses[:, _HIP], poses[:, _THORAX]
    legs, trunk = unit(hip - feet), unit(thorax - hip)
    standing = (legs * trunk).sum(1) > np.cos(np.radians(_STRAIGHT))  # NaN compares false
    if standing.sum() < _ENOUGH:
        return np.eye(3)
    up = unit(unit(thorax - feet)[standing].mean(0))
    angle = np.degrees(np.arccos(np.clip(up @ _UP, -1, 1)))
    if not _LEVEL < angle < _TILTED:
        return np.eye(3)
    axis = unit(np.cross(up, _UP))
    from scipy.spatial.transform import Rotation  # imported here because that takes a third of a second

    return np.asarray(Rotation.from_rotvec(np.radians(angle) * axis).as_matrix())
