"""Square crops of a frame, and the conversion of keypoints from a crop to the frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .people import Image


@dataclass(frozen=True)
class Crop:
    """A square of the frame, which may extend beyond it.

    Attributes:
        x: The centre's x in pixels.
        y: The centre's y in pixels.
        side: The side in pixels.

    Raises:
        ValueError: A value is not finite, or the side is not positive.
    """

    x: float
    y: float
    side: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.x, self.y, self.side]).all() and self.side > 0):
            raise ValueError(f"expected a finite centre and a positive side, found {self}")

    def cut(self, image: Image, size: int) -> Image:
        """Return the square as (size, size, 3) pixels, black beyond the frame.

        The square's corners become the corners of the result: its left edge is the left edge of the first
        pixel, not that pixel's centre.
        """
        scale = self.side / size
        first = scale / 2 - self.side / 2 - 0.5  # from the centre of the square to that of the first pixel
        matrix = np.array([[scale, 0, self.x + first], [0, scale, self.y + first]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if scale < 2:
            return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=flags), np.uint8)
        # Bilinear sampling reads four neighbouring pixels only. A much larger crop is halved first, so that
        # no pixel is ignored.
        height, width = image.shape[:2]
        reach = self.side / 2 + 2 * scale
        left, top = (max(int(middle - reach), 0) for middle in (self.x, self.y))
        right, bottom = min(int(self.x + reach), width), min(int(self.y + reach), height)
        if right - left < 2 or bottom - top < 2:
            return np.zeros((size, size, 3), np.uint8)
        half = Crop((self.x - left) / 2, (self.y - top) / 2, self.side / 2)
        return half.cut(halve(image[top:bottom, left:right]), size)

    def to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (…, 2) x, y in pixels of the frame, from x, y as fractions of the square."""
        corner = np.array([self.x - self.side / 2, self.y - self.side / 2])
        return np.asarray(corner + self.side * points, np.float32)


def halve(image: Image) -> Image:
    """Return an image at half its size, by means of 2 × 2 pixels. An odd last row or column is dropped."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
