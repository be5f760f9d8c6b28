"""The cascaded pyramid network (Chen et al., CVPR 2018, arXiv 1711.07319): one person's crop → heatmaps.

ResNet's four stages give a pyramid of features. GlobalNet (§3.2.1) merges it from the top down and predicts
the keypoints at every level. RefineNet (§3.2.2) adds layers to each level, the more the coarser it is, brings
all levels to one size and predicts once more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resnet import RESNET50, Bottleneck, ResNet, initialise

STRIDE = 4
"""Pixels of the crop to a cell of a heatmap."""

HEIGHT = 255.0
"""The value of the published networks' heatmaps at a keypoint."""

SPREADS = (3.8, 2.9, 2.3, 1.7)
"""Standard deviations, in cells, of the Gaussians that GlobalNet's levels learn, coarsest first. RefineNet
learns the last one too. They are those of the published kernels of 23, 17, 13 and 9 cells."""

_CHANNELS = 256  # of every level of the pyramid


class CPN(nn.Module):
    """The network.

    Args:
        keypoints: Number of keypoints.
        size: Height and width of the crops, multiples of 32.
        blocks: Residual blocks in each of ResNet's four stages.

    Raises:
        ValueError: The size does not fit.
    """

    def __init__(
        self,
        *,
        keypoints: int = 17,
        size: tuple[int, int] = (384, 288),
        blocks: Sequence[int] = RESNET50,
    ) -> None:
        super().__init__()
        if any(side < 32 or side % 32 for side in size):
            raise ValueError(f"height and width of the crops must be multiples of 32, not {size}")
        self.keypoints, self.size, self.blocks = keypoints, (size[0], size[1]), tuple(blocks)
        self.map_size = (size[0] // STRIDE, size[1] // STRIDE)
        self.backbone = ResNet(blocks)
        self.global_net = GlobalNet(keypoints, self.map_size)
        self.refine_net = RefineNet(keypoints, self.map_size)
        self.reset_predictions()

    def forward(self, crops: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return GlobalNet's four heatmaps, coarsest level first, and RefineNet's, all (N, K, H/4, W/4).

        Args:
            crops: (N, 3, H, W) RGB, 0–1, minus the mean colour; see `crops.to_input`.
        """
        pyramid, coarse = self.global_net(self.backbone(crops))
        return coarse, self.refine_net(pyramid)

    def reset_predictions(self, scales: Sequence[tuple[float, float]] | None = None) -> None:
        """Give the last layers of GlobalNet and RefineNet new weights and batch-norm statistics.

        Args:
            scales: Scale and shift of each layer's batch norm. They decide the range of its output, and at a
                small learning rate it would take very long to reach the height of the targets. By default
                they are the standard deviation and the mean of the target heatmaps.
        """
        layers = self.predictions()
        cells = self.map_size[0] * self.map_size[1]
        if scales is None:
            areas = [math.pi * spread**2 / cells for spread in (*SPREADS, SPREADS[-1])]
            scales = [(HEIGHT * math.sqrt(area), HEIGHT * 2 * area) for area in areas]
        for layer, (scale, shift) in zip(layers, scales, strict=True):
            nn.init.kaiming_normal_(layer.conv.weight, mode="fan_out", nonlinearity="relu")
            layer.norm.reset_running_stats()
            nn.init.constant_(layer.norm.weight, scale)
            nn.init.constant_(layer.norm.bias, shift)

    def predictions(self) -> list[Prediction]:
        """Return the last layers: GlobalNet's four, coarsest level first, and RefineNet's."""
        levels = [cast(GlobalPrediction, level) for level in self.global_net.predict]
        return [*(level.last for level in levels), self.refine_net.last]


class GlobalNet(nn.Module):
    """A feature pyramid (coarsest level first) with a prediction at every level."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvNorm(256 << stage, _CHANNELS, 1) for stage in (3, 2, 1, 0))
        self.merge = nn.ModuleList(Merge(_CHANNELS, _CHANNELS, 1) for _ in range(3))
        self.predict = nn.ModuleList(GlobalPrediction(keypoints, map_size) for _ in range(4))

    def forward(self, features: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the pyramid of features and its heatmaps, coarsest first; `features` are finest first."""
        pyramid: list[Tensor] = []
        for level, feature in enumerate(reversed(features)):
            merged = functional.relu(self.lateral[level](feature))
            if pyramid:
                merged = merged + self.merge[level - 1](pyramid[-1], merged.shape[-2:])
            pyramid.append(merged)
        return pyramid, [predict(level) for predict, level in zip(self.predict, pyramid, strict=True)]


class GlobalPrediction(nn.Module):
    """The prediction of one level of the pyramid."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.first = ConvNorm(_CHANNELS, _CHANNELS, 1)
        self.last = Prediction(keypoints, map_size)

    def forward(self, level: Tensor) -> Tensor:
        """Map (N, 256, h, w) to (N, K, H/4, W/4)."""
        out: Tensor = self.last(functional.relu(self.first(level), inplace=True))
        return out


class RefineNet(nn.Module):
    """The prediction from all levels of the pyramid, brought to one size."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.map_size = map_size
        # every shortcut is a convolution, as in the published PyTorch weights
        self.deepen = nn.ModuleList(
            nn.Sequential(*(Bottleneck(_CHANNELS, 128, _CHANNELS, project=True) for _ in range(depth)))
            for depth in (3, 2, 1, 0)
        )
        self.merge = Bottleneck(4 * _CHANNELS, 128, _CHANNELS, project=True)
        self.last = Prediction(keypoints, map_size)

    def forward(self, pyramid: Sequence[Tensor]) -> Tensor:
        """Map the pyramid, coarsest level first, each (N, 256, h, w), to (N, K, H/4, W/4)."""
        levels = [
            _enlarge(deepen(level), self.map_size) for deepen, level in zip(self.deepen, pyramid, strict=True)
        ]
        out: Tensor = self.last(self.merge(torch.cat(levels, 1)))
        return out


class ConvNorm(nn.Module):
    """A convolution and its batch norm."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, width, padding=width // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        out: Tensor = self.norm(self.conv(x))
        return out


class Merge(ConvNorm):
    """What is added from one level of the pyramid to the next finer one.

    The paper enlarges the level and then applies the 1×1 convolution. The other order gives the same result
    and costs a quarter.
    """

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:  # type: ignore[override]
        """Map (N, 256, h, w) to (N, 256, *size)."""
        out: Tensor = self.norm(_enlarge(self.conv(x), size))
        return out


class Prediction(ConvNorm):
    """The last layer: features → heatmaps of `map_size`. Its batch norm sets their height."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__(_CHANNELS, keypoints, 3)
        self.map_size = map_size

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 256, h, w) to (N, K, H/4, W/4)."""
        out: Tensor = self.norm(_enlarge(self.conv(x), self.map_size))
        return out


def _enlarge(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Interpolate bilinearly, corner cells on corner cells, as in the published networks."""
    if x.shape[-2:] == tuple(size):
        return x
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=True)
