"""The intrinsics of a camera.

Image coordinates are pixels, x right, y down. Camera space is metres, x right, y down, z forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_FOV = 60.0
"""Degrees across the longer side, assumed where nothing tells the focal length: between a phone's main
camera in video mode (about 65°) and a camcorder or webcam (about 55°)."""

H36M_FOCAL = 2.29
"""Human3.6M's focal length in normalised screen coordinates (1145 px at 1000 px wide, ×2)."""

_FULL_FRAME_DIAGONAL = math.hypot(36.0, 24.0)  # mm, by which "35 mm equivalent" is defined


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera: focal lengths and principal point in pixels of the upright frame.

    Raises `ValueError` where a value is not finite or a focal length not positive.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.fx, self.fy, self.cx, self.cy)):
            raise ValueError("intrinsics must be finite")
        if self.fx <= 0 or self.fy <= 0:
            raise ValueError("focal lengths must be positive")

    def array(self) -> NDArray[np.float32]:
        """(4,) float32: fx, fy, cx, cy."""
        return np.array([self.fx, self.fy, self.cx, self.cy], np.float32)

    @classmethod
    def centred(cls, focal: float, size: tuple[int, int]) -> Intrinsics:
        """Square pixels, `focal` in pixels, the principal point in the middle of `size` (width, height)."""
        return cls(focal, focal, size[0] / 2, size[1] / 2)

    @classmethod
    def from_35mm(cls, focal_mm: float, size: tuple[int, int]) -> Intrinsics:
        """From a 35 mm equivalent focal length: f = f35 / 43.27 · √(w² + h²)."""
        return cls.centred(focal_mm / _FULL_FRAME_DIAGONAL * math.hypot(*size), size)

    @classmethod
    def from_fov(cls, degrees: float, across: float, size: tuple[int, int]) -> Intrinsics:
        """From an angle of view in degrees over `across` pixels (the width, for a horizontal angle).

        Raises `ValueError` unless 0 < degrees < 180.
        """
        if not 0 < degrees < 180:
            raise ValueError("an angle of view lies between 0 and 180 degrees")
        return cls.centred(across / 2 / math.tan(math.radians(degrees) / 2), size)

    @classmethod
    def assumed(cls, size: tuple[int, int]) -> Intrinsics:
        """Where nothing tells: `DEFAULT_FOV` across the longer side."""
        return cls.from_fov(DEFAULT_FOV, max(size), size)


def project(points: NDArray[np.floating], camera: Intrinsics) -> NDArray[np.float32]:
    """Camera space (…, 3), metres, in front of the camera → pixels (…, 2)."""
    uv = points[..., :2] / points[..., 2:]
    return (uv * np.array([camera.fx, camera.fy]) + np.array([camera.cx, camera.cy])).astype(np.float32)
