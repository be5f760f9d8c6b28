"""Pinhole cameras.

Image coordinates are pixels, x right, y down. Camera space is metres, x right, y down, z forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_FOV = 60.0
"""Degrees across the longer side, assumed if the camera is not known. A camcorder or webcam has about 55°, a
phone's main camera about 70°."""

H36M_FOCAL = 2.29
"""Human3.6M's focal length in normalised screen coordinates (1145 px at 1000 px wide, ×2)."""

_FULL_FRAME_DIAGONAL = math.hypot(36.0, 24.0)  # mm; "35 mm equivalent" is defined by it


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera, in pixels of the upright frame.

    Attributes:
        fx: Focal length along x.
        fy: Focal length along y.
        cx: Principal point, x.
        cy: Principal point, y.

    Raises:
        ValueError: If a value is not finite, or a focal length is not positive.
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
        """Return (4,) float32: fx, fy, cx, cy."""
        return np.array([self.fx, self.fy, self.cx, self.cy], np.float32)

    @classmethod
    def centred(cls, focal: float, size: tuple[int, int]) -> Intrinsics:
        """Return a camera with square pixels and the principal point in the middle of `size`."""
        return cls(focal, focal, size[0] / 2, size[1] / 2)

    @classmethod
    def from_35mm(cls, focal_mm: float, size: tuple[int, int]) -> Intrinsics:
        """Return a camera by its 35 mm equivalent focal length: f = f35 / 43.27 · √(w² + h²)."""
        return cls.centred(focal_mm / _FULL_FRAME_DIAGONAL * math.hypot(*size), size)

    @classmethod
    def from_fov(cls, degrees: float, across: float, size: tuple[int, int]) -> Intrinsics:
        """Return a camera by its angle of view.

        Args:
            degrees: The angle of view.
            across: The pixels that the angle spans, such as the width for a horizontal angle.
            size: Width and height in pixels.

        Raises:
            ValueError: If the angle is not between 0 and 180 degrees.
        """
        if not 0 < degrees < 180:
            raise ValueError("an angle of view lies between 0 and 180 degrees")
        return cls.centred(across / 2 / math.tan(math.radians(degrees) / 2), size)

    @classmethod
    def assumed(cls, size: tuple[int, int]) -> Intrinsics:
        """Return the camera that is assumed if none is known: `DEFAULT_FOV` across the longer side."""
        return cls.from_fov(DEFAULT_FOV, max(size), size)


def project(points: NDArray[np.floating], camera: Intrinsics) -> NDArray[np.float32]:
    """Project points into the picture of a pinhole camera.

    Shape:
        points: (…, 3), camera space, metres, in front of the camera.
        result: (…, 2), pixels.
    """
    uv = points[..., :2] / points[..., 2:]
    return (uv * np.array([camera.fx, camera.fy]) + np.array([camera.cx, camera.cy])).astype(np.float32)
