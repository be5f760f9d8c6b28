"""Where a camera stands in the world."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Extrinsics:
    """A camera's place: world coordinates are metres, z up; camera space is x right, y down, z forward.

    orientation: unit quaternion w, x, y, z that turns camera space into the world.
    position: the camera's centre in the world, metres.
    Raises `ValueError` where a value is not finite or the quaternion not of unit length.
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
        """(3, 3): camera space → world. Its columns are the camera's right, down and forward in the world."""
        w, x, y, z = np.array(self.orientation) / math.hypot(*self.orientation)
        return np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ])  # fmt: skip

    def to_camera(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """World (…, 3) → camera space (…, 3), metres."""
        return ((points - np.array(self.position)) @ self.rotation).astype(np.float32)

    def to_world(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Camera space (…, 3) → world (…, 3), metres."""
        return (points @ self.rotation.T + np.array(self.position)).astype(np.float32)
