"""Lenses that bend straight lines, as Human3.6M's do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Intrinsics


@dataclass(frozen=True)
class Lens:
    """A pinhole camera with radial and tangential distortion, in pixels.

    radial: factors of r², r⁴ and r⁶. tangential: two factors.
    The tangential term is that of the published VideoPose3D code, which made everybody's
    `data_2d_h36m_gt.npz`. The data set's own code has its two factors the other way round, which moves
    points at the picture's edge by a pixel and others by less.
    Raises `ValueError` where a value is not finite.
    """

    intrinsics: Intrinsics
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.radial) != 3 or len(self.tangential) != 2:
            raise ValueError("a lens has three radial and two tangential factors")
        if not all(math.isfinite(v) for v in (*self.radial, *self.tangential)):
            raise ValueError("distortion must be finite")

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Camera space (…, 3), metres, in front of the camera → pixels (…, 2)."""
        xy = points[..., :2].astype(np.float64) / points[..., 2:]
        squared = (xy**2).sum(-1, keepdims=True)
        k1, k2, k3 = self.radial
        tangential = np.array(self.tangential)
        radial = 1 + squared * (k1 + squared * (k2 + squared * k3))
        bent = xy * (radial + (xy * tangential).sum(-1, keepdims=True)) + tangential * squared
        camera = self.intrinsics
        return (bent * [camera.fx, camera.fy] + [camera.cx, camera.cy]).astype(np.float32)
