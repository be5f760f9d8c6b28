"""The position and orientation of a camera in the world."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Extrinsics:
    """A camera's position and orientation.

    World coordinates are metres, z up. Camera space is x right, y down, z forward.

    Attributes:
        orientation: Unit quaternion w, x, y, z of the rotation from camera space to the world.
        position: The camera's centre in the world, metres.

    Raises:
        ValueError: If a value is not finite, or the quaternion has not unit length.
    """

    orientation: tuple[float, float, float, float]
    position: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.orientation) != 4 or len(self.position) != 3:
            raise ValueError("extrinsics need a quaternion of four and a position of three numbers")
        if not all(math.isfinite(v) for v in (*self.orientation, *self.position)):
            raise ValueError("extrinsics must be finite")
        if abs(math.hypot(*self.orientation) - 1) > 1e-4:
            raise ValueError("the orientation must be a unit quaternion")

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3), from camera space to the world; the columns are the camera's right, down and forward."""
        w, x, y, z = self.orientation
        return np.asarray(Rotation.from_quat([x, y, z, w]).as_matrix(), np.float64)

    def to_camera(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert points (…, 3), metres, from the world to camera space."""
        return ((points - np.array(self.position)) @ self.rotation).astype(np.float32)
