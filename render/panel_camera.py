"""The camera from which a 3D panel is drawn, placed at the smallest distance at which it shows all people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .views import View

_FOCAL = 2.0  # focal length divided by the panel's longer side: shows depth with little distortion
_NEAREST = 0.2  # metres; points nearer to the camera are not drawn


@dataclass(frozen=True)
class PanelCamera:
    """A pinhole camera that looks at a target. The target is an argument of `project`.

    Attributes:
        rotation: (3, 3) The rows are the picture's right, down and forward in the scene's axes (x right, y
            down, z forward).
        distance: Metres from the target.
        focal: Focal length in pixels.
        middle: (2,) The pixel that shows the target.
    """

    rotation: NDArray[np.float64]
    distance: float
    focal: float
    middle: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Return the pixels a metre at the target."""
        return self.focal / self.distance

    def project(
        self, points: NDArray[np.floating], target: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels (…, 2) and depth (…) of points (…, 3); pixels are NaN behind the camera."""
        turned = (points - target) @ self.rotation.T
        depth = turned[..., 2] + self.distance
        safe = np.where(depth > _NEAREST, depth, np.nan)
        return turned[..., :2] * (self.focal / safe)[..., None] + self.middle, depth

    @classmethod
    def fit(
        cls, view: View, points: NDArray[np.floating], low: tuple[float, float], high: tuple[float, float]
    ) -> PanelCamera:
        """Return the nearest camera that shows all points inside a box of pixels.

        Args:
            view: The direction to look from.
            points: (P, 3) Metres from the target.
            low: The box's top left corner, x and y.
            high: The box's bottom right corner, x and y.
        """
        rotation = _rotation(view)
        turned = points @ rotation.T
        room = np.array(high, float) - low
        focal = _FOCAL * float(room.max())
        reach = float(np.linalg.norm(turned, axis=1).max())
        near, far = 1.05 * reach + _NEAREST, max(200 * reach, 10.0)
        for _ in range(50):  # bisection of the logarithm of the distance
            distance = math.sqrt(near * far)
            lowest, highest = _bounds(turned, distance, focal)
            if (highest - lowest <= room).all():
                far = distance
            else:
                near = distance
        lowest, highest = _bounds(turned, far, focal)
        return cls(rotation, far, focal, (np.array(low) + high) / 2 - (lowest + highest) / 2)


def _bounds(
    turned: NDArray[np.float64], distance: float, focal: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flat = turned[:, :2] * (focal / (turned[:, 2:] + distance))
    return flat.min(0), flat.max(0)


def _rotation(view: View) -> NDArray[np.float64]:
    azimuth, elevation = math.radians(view.azimuth), math.radians(view.elevation)
    right = np.array([math.cos(azimuth), 0.0, math.sin(azimuth)])
    forward = np.array(
        [
            -math.sin(azimuth) * math.cos(elevation),
            math.sin(elevation),
            math.cos(azimuth) * math.cos(elevation),
        ]
    )
    return np.stack([right, np.cross(forward, right), forward])
