"""Turn decoded pictures upright, as the file's display matrix or EXIF says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData

from ...detectors.people import Image


@dataclass(frozen=True)
class Orientation:
    """The steps that turn a decoded picture upright, in this order.

    Attributes:
        transpose: Swap x and y.
        flip_x: Mirror along x.
        flip_y: Mirror along y.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Make it of libav's display matrix, nine int32 numbers a b u, c d v, x y w.

        The matrix moves a point (p, q) to (a·p + c·q, b·p + d·q). Rotations are rounded to multiples of 90°.
        """
        a, b, _, c, d = np.frombuffer(matrix, np.int32, count=5).tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @classmethod
    def of(cls, picture: av.VideoFrame) -> Orientation:
        """Make it of the display matrix of a decoded picture."""
        try:
            matrix = cast("SideData | None", picture.side_data.get("DISPLAYMATRIX"))
        except ValueError:  # PyAV does not know some kinds of side data (EXIF), and then returns none at all
            clockwise = round(-picture.rotation / 90) % 4
            return (cls(), cls(True, True, False), cls(False, True, True), cls(True, False, True))[clockwise]
        return cls() if matrix is None else cls.from_display_matrix(bytes(matrix))

    @property
    def mirrored(self) -> bool:
        """Whether the picture is mirrored (left to right) before it is rotated."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def rotation(self) -> int:
        """Clockwise rotation of the picture: 0, 90, 180 or 270 degrees."""
        sign = -1 if self.mirrored else 1  # direction of the picture's own x axis
        if self.transpose:
            return 270 if (sign < 0) ^ self.flip_y else 90
        return 180 if (sign < 0) ^ self.flip_x else 0

    def turned(self, clockwise: int) -> Orientation:
        """Return these steps followed by a rotation by 0, 90, 180 or 270 degrees clockwise."""
        result = self
        for _ in range(clockwise // 90):
            result = Orientation(not result.transpose, not result.flip_y, result.flip_x)
        return result

    def apply(self, image: Image) -> Image:
        """Turn an image upright.

        Args:
            image: (H, W, 3), contiguous.
        """
        if self.transpose:
            image = cast(Image, cv2.transpose(image))
        if self.flip_x or self.flip_y:
            image = cast(Image, cv2.flip(image, -1 if self.flip_x and self.flip_y else int(self.flip_x)))
        return image
