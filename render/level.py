"""Which way is up, where the filming camera was tilted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..skeleton import H36M17

_HIP, _THORAX = H36M17.index("hip"), H36M17.index("thorax")
_FEET = [H36M17.index("lfoot"), H36M17.index("rfoot")]
_UP = np.array([0.0, -1.0, 0.0])

_STRAIGHT = 25.0  # degrees between legs and trunk, up to which a person counts as standing
_LEVEL = 8.0  # degrees: people who walk or reach lean this much, so less is no sign of a tilted camera
_TILTED = 60.0  # degrees: more is somebody who lies down straight rather than a camera
_ENOUGH = 15  # standing poses to judge by


def level(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rotation (3, 3) from camera space to a space whose y points straight down.

    poses: (N, 17, 3) H36M17, camera space; NaN where not lifted. People who stand, stand upright on average,
    so the mean direction from their feet to their necks is up. Where hardly anybody stands, or the mean is as
    good as level, the camera is taken to be level and the rotation is the identity.
    """
    feet, hip, thorax = poses[:, _FEET].mean(1), poses[:, _HIP], poses[:, _THORAX]
    legs, trunk = _unit(hip - feet), _unit(thorax - hip)
    standing = (legs * trunk).sum(1) > np.cos(np.radians(_STRAIGHT))  # NaN compares false
    if standing.sum() < _ENOUGH:
        return np.eye(3)
    up = _unit(_unit(thorax - feet)[standing].mean(0))
    angle = np.degrees(np.arccos(np.clip(up @ _UP, -1, 1)))
    if not _LEVEL < angle < _TILTED:
        return np.eye(3)
    axis = _unit(np.cross(up, _UP))
    return np.asarray(Rotation.from_rotvec(np.radians(angle) * axis).as_matrix())


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
