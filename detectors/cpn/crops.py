"""Crops of people for the cascaded pyramid network (CPN), and the decoding of its heatmaps.

Positions are in pixels, in crops and in frames; 0 is the left (upper) edge of the first pixel. A cell of a
heatmap covers 4 × 4 pixels of the crop. Margins, colours and the decoding by arg max are those of the
original networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..crop import halve
from ..people import Image
from ..soft_argmax import soft_argmax
from .network import HEIGHT, STRIDE

Decoding = Literal["soft-argmax", "argmax"]

MEAN_COLOUR = (122.7717, 115.9465, 102.9801)  # RGB mean of ImageNet.
_MARGINS = (1.2, 1.3)  # Width and height of a crop, as multiples of its box's.

# Temperature of the softmax of a heatmap of height 1. It is low enough to ignore the background around the
# Gaussian, and high enough (a width of 0.6 cells) not to pull positions to the centres of cells.
_TEMPERATURE = 0.12
_RADIUS = 5.0  # In cells: three standard deviations of the Gaussians that RefineNet learns.

_BLUR = 3.5  # In cells: standard deviation of the 21-cell kernel of the original decoding.
_BLUR_REACH = 10


@dataclass(frozen=True)
class Window:
    """A rectangle of the frame, which can be rotated.

    Attributes:
        x: Centre, in pixels.
        y: Centre, in pixels.
        width: In pixels.
        height: In pixels.
        angle: Rotation in degrees, clockwise.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    @classmethod
    def around(
        cls, box: Sequence[float] | NDArray[np.float32], size: tuple[int, int], *, scale: float = 1.0
    ) -> Window:
        """Return the window around a box, with margins.

        Args:
            box: x0, y0, x1, y1 in pixels.
            size: Height and width of the crop, whose proportions the window gets.
            scale: Factor by which the window is enlarged.
        """
        x0, y0, x1, y1 = (float(v) for v in box)
        width, height = max(x1 - x0, 1.0) * _MARGINS[0], max(y1 - y0, 1.0) * _MARGINS[1]
        unit = scale * max(width / size[1], height / size[0])
        return cls((x0 + x1) / 2, (y0 + y1) / 2, unit * size[1], unit * size[0])

    def matrix(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from pixels of a crop of `size` (height, width) to pixels of the frame."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        turn = np.array([[cos, -sin], [sin, cos]]) * [self.width / size[1], self.height / size[0]]
        middle = np.array([self.x, self.y]) - turn @ [size[1] / 2, size[0] / 2]
        return np.concatenate([turn, middle[:, None]], 1)

    def cut(self, image: Image, size: tuple[int, int]) -> Image:
        """Return the window scaled to `size` (height, width), with the mean colour outside the frame."""
        scale = self.height / size[0]
        if scale >= 2 and min(image.shape[:2]) >= 4:
            # Bilinear sampling reads only four pixels, so a large reduction would skip pixels.
            half = Window(self.x / 2, self.y / 2, self.width / 2, self.height / 2, self.angle)
            return half.cut(halve(image), size)
        matrix = self.matrix(size)
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # OpenCV's 0 is the centre of the first pixel.
        return np.asarray(
            cv2.warpAffine(
                image,
                matrix,
                (size[1], size[0]),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderValue=MEAN_COLOUR,
            ),
            np.uint8,
        )

    def to_frame(self, points: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
        """Convert (…, 2) points from pixels of a crop of `size` to pixels of the frame."""
        matrix = self.matrix(size)
        return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)

    def to_crop(self, points: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
        """Convert (…, 2) points from pixels of the frame to pixels of a crop of `size`."""
        matrix = self.matrix(size)
        return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T, np.float32)


def to_input(crops: Tensor) -> Tensor:
    """Convert (N, H, W, 3) uint8 RGB crops to the network's input, (N, 3, H, W) float32."""
    mean = torch.tensor(MEAN_COLOUR, device=crops.device)
    return ((crops.float() - mean) / 255).permute(0, 3, 1, 2)


def decode(heatmaps: Tensor, decoding: Decoding) -> tuple[Tensor, Tensor]:
    """Find the keypoints in heatmaps.

    Args:
        heatmaps: (…, H, W).
        decoding: Whether the position is the expected or the highest cell.

    Returns:
        Positions (…, 2) in pixels of the crop, and confidences (…), 0–1. The confidence is the height of the
        heatmap divided by the height of the Gaussians that the network was trained with.
    """
    heatmaps = heatmaps.float()
    height = heatmaps.amax((-2, -1))
    if decoding == "soft-argmax":
        relative = heatmaps / height.clamp(min=HEIGHT / 1000)[..., None, None]
        cells, _ = soft_argmax(relative, temperature=_TEMPERATURE, radius=_RADIUS)
    else:
        cells = _quarter_offset(heatmaps)
    return (cells + 0.5) * STRIDE, (height / HEIGHT).clamp(0, 1)


def _quarter_offset(heatmaps: Tensor) -> Tensor:
    """Return the highest cell of the blurred map, moved a quarter cell towards the second highest."""
    shape = heatmaps.shape
    steps = torch.arange(-_BLUR_REACH, _BLUR_REACH + 1, device=heatmaps.device)
    kernel = torch.exp(-((steps / _BLUR) ** 2) / 2)
    kernel = kernel / kernel.sum()
    maps = heatmaps.reshape(-1, 1, *shape[-2:])
    maps = functional.conv2d(maps, kernel.view(1, 1, -1, 1), padding=(_BLUR_REACH, 0))
    maps = functional.conv2d(maps, kernel.view(1, 1, 1, -1), padding=(0, _BLUR_REACH))
    cells = maps.flatten(-2).topk(2).indices
    first, second = torch.stack([cells % shape[-1], cells // shape[-1]], -1).float().unbind(-2)
    towards = functional.normalize(second - first, dim=-1)
    limit = torch.tensor([shape[-1] - 1.0, shape[-2] - 1.0], device=heatmaps.device)
    moved = torch.minimum((first + towards / 4).clamp(min=0), limit)
    return moved.reshape(*shape[:-2], 2)
