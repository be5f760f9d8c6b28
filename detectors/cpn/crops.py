"""People's boxes → crops for the cascaded pyramid network, and its heatmaps → keypoints.

Positions are pixels with 0 at the left (upper) edge of the first one, in crops as in frames; a heatmap's
cell covers four by four pixels of the crop. Margins, colours and the decoding by arg max are those of the
published networks.
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

MEAN_COLOUR = (122.7717, 115.9465, 102.9801)  # RGB, of ImageNet
_MARGINS = (1.2, 1.3)  # a crop's width and height over its box's

# The softmax of a heatmap of height 1 over this is narrow enough not to feel the ground around the Gaussian,
# and wide enough (0.6 cells) not to stick to cells' centres.
_TEMPERATURE = 0.12
_RADIUS = 5.0  # cells: three standard deviations of what RefineNet learns

_BLUR = 3.5  # cells: standard deviation of the published decoding's 21-cell kernel
_BLUR_REACH = 10


@dataclass(frozen=True)
class Window:
    """A rectangle of the frame, perhaps turned: centre, width and height in pixels, degrees clockwise."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    @classmethod
    def around(
        cls, box: Sequence[float] | NDArray[np.float32], size: tuple[int, int], *, scale: float = 1.0
    ) -> Window:
        """The box (x0, y0, x1, y1) with margins, `scale` times as large, in the proportions of `size`
        (height, width)."""
        x0, y0, x1, y1 = (float(v) for v in box)
        width, height = max(x1 - x0, 1.0) * _MARGINS[0], max(y1 - y0, 1.0) * _MARGINS[1]
        unit = scale * max(width / size[1], height / size[0])
        return cls((x0 + x1) / 2, (y0 + y1) / 2, unit * size[1], unit * size[0])

    def matrix(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """(2, 3): pixels of a crop of `size` (height, width) → pixels of the frame."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        turn = np.array([[cos, -sin], [sin, cos]]) * [self.width / size[1], self.height / size[0]]
        middle = np.array([self.x, self.y]) - turn @ [size[1] / 2, size[0] / 2]
        return np.concatenate([turn, middle[:, None]], 1)

    def cut(self, image: Image, size: tuple[int, int]) -> Image:
        """The window as (H, W, 3) pixels of `size`; the mean colour beyond the frame."""
        scale = self.height / size[0]
        if scale >= 2 and min(image.shape[:2]) >= 4:
            # Bilinear sampling reads four pixels and would skip over the others.
            half = Window(self.x / 2, self.y / 2, self.width / 2, self.height / 2, self.angle)
            return half.cut(halve(image), size)
        matrix = self.matrix(size)
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # OpenCV counts from the first pixel's centre
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
        """(…, 2) pixels of a crop of `size` → pixels of the frame."""
        matrix = self.matrix(size)
        return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)

    def to_crop(self, points: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
        """(…, 2) pixels of the frame → pixels of a crop of `size`."""
        matrix = self.matrix(size)
        return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T, np.float32)


def to_input(crops: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 RGB → (N, 3, H, W) float32 as the network reads them."""
    mean = torch.tensor(MEAN_COLOUR, device=crops.device)
    return ((crops.float() - mean) / 255).permute(0, 3, 1, 2)


def decode(heatmaps: Tensor, decoding: Decoding) -> tuple[Tensor, Tensor]:
    """(…, H, W) heatmaps → (…, 2) pixels of the crop and (…) confidences, 0–1.

    The confidence is the heatmap's height over that of the Gaussians it was trained to give.
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
    """As published: the blurred map's highest cell, moved a quarter cell towards the second highest."""
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
