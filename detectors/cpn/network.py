"""The cascaded pyramid network (Chen et al., CVPR 2018, arXiv 1711.07319): one person's crop → heatmaps.

ResNet's four stages give a pyramid of features. GlobalNet (§3.2.1) merges it from the top down and predicts
the keypoints at every level; RefineNet (§3.2.2) deepens each level the more the coarser it is, brings all to
one size and predicts once more. The loss (§4.2.3) is L2 on GlobalNet's heatmaps, and on RefineNet's only that
of each person's hardest keypoints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
"""Pixels of the crop to a cell of a heatmap."""

HEIGHT = 255.0
"""What the published networks' heatmaps reach at a keypoint."""

SPREADS = (3.8, 2.9, 2.3, 1.7)
"""Standard deviations, in cells, of the Gaussians that GlobalNet's levels learn, coarsest first; the last is
RefineNet's, too. They are those of the published kernels of 23, 17, 13 and 9 cells."""

RESNET50 = (3, 4, 6, 3)
RESNET101 = (3, 4, 23, 3)

_CHANNELS = 256  # of every level of the pyramid


class CPN(nn.Module):
    """Crops → heatmaps.

    keypoints: how many. size: height and width of the crops, multiples of 32. blocks: residual blocks in each
    of ResNet's four stages. Raises `ValueError` for a size that does not fit.
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
        """(N, 3, H, W) crops → GlobalNet's four heatmaps, coarsest level first, and RefineNet's.

        Crops are RGB, 0–1, less the mean colour (see `cpn_crops`). Every heatmap is (N, K, H/4, W/4).
        """
        pyramid, coarse = self.global_net(self.backbone(crops))
        return coarse, self.refine_net(pyramid)

    def reset_predictions(self, scales: Sequence[tuple[float, float]] | None = None) -> None:
        """Begin GlobalNet's and RefineNet's last layers anew: weights and batch-norm statistics.

        scales: scale and shift of each layer's batch norm. Since a batch norm puts out what these two say,
        a small learning rate would need very long to reach the targets' height: by default they are the
        standard deviation and the mean of the target heatmaps.
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
        """The last layers: GlobalNet's four, coarsest first, and RefineNet's."""
        levels = [cast(GlobalPrediction, level) for level in self.global_net.predict]
        return [*(level.last for level in levels), self.refine_net.last]


class Bottleneck(nn.Module):
    """ResNet's residual block (He et al., arXiv 1512.03385), its stride in the 3×3 convolution.

    project: whether the shortcut is a convolution, too. Names of parts are those of published ResNets.
    """

    def __init__(self, inputs: int, middle: int, outputs: int, *, stride: int = 1, project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if project
            else nn.Identity()
        )
        _initialise(self)
        nn.init.zeros_(self.bn3.weight)  # blocks begin as their shortcuts (Goyal et al., arXiv 1706.02677)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H / stride, W / stride)."""
        out = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        out = functional.relu(self.bn2(self.conv2(out)), inplace=True)
        return functional.relu(self.bn3(self.conv3(out)) + self.downsample(x), inplace=True)


class ResNet(nn.Module):
    """The backbone: (N, 3, H, W) → features of 256, 512, 1024 and 2048 channels at strides 4, 8, 16, 32."""

    def __init__(self, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        _initialise(self)
        self.layer1 = _stage(64, 64, blocks[0], stride=1)
        self.layer2 = _stage(256, 128, blocks[1], stride=2)
        self.layer3 = _stage(512, 256, blocks[2], stride=2)
        self.layer4 = _stage(1024, 512, blocks[3], stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Finest first."""
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.max_pool2d(x, 3, 2, 1)
        features = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            features.append(x)
        return features


def _stage(inputs: int, middle: int, count: int, *, stride: int) -> nn.Sequential:
    outputs = 4 * middle
    first = Bottleneck(inputs, middle, outputs, stride=stride, project=True)
    rest = (Bottleneck(outputs, middle, outputs, project=False) for _ in range(count - 1))
    return nn.Sequential(first, *rest)


class GlobalNet(nn.Module):
    """A feature pyramid (coarsest level first) with a prediction at every level."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvNorm(256 << stage, _CHANNELS, 1) for stage in (3, 2, 1, 0))
        self.merge = nn.ModuleList(Merge(_CHANNELS, _CHANNELS, 1) for _ in range(3))
        self.predict = nn.ModuleList(GlobalPrediction(keypoints, map_size) for _ in range(4))

    def forward(self, features: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Features, finest first → the pyramid and its heatmaps, coarsest first."""
        pyramid: list[Tensor] = []
        for level, feature in enumerate(reversed(features)):
            merged = functional.relu(self.lateral[level](feature))
            if pyramid:
                merged = merged + self.merge[level - 1](pyramid[-1], merged.shape[-2:])
            pyramid.append(merged)
        return pyramid, [predict(level) for predict, level in zip(self.predict, pyramid, strict=True)]


class GlobalPrediction(nn.Module):
    """One level of the pyramid → heatmaps."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.first = ConvNorm(_CHANNELS, _CHANNELS, 1)
        self.last = Prediction(keypoints, map_size)

    def forward(self, level: Tensor) -> Tensor:
        """(N, 256, h, w) → (N, K, H/4, W/4)."""
        out: Tensor = self.last(functional.relu(self.first(level), inplace=True))
        return out


class RefineNet(nn.Module):
    """All levels, deepened and brought to one size → heatmaps."""

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
        """Coarsest first, each (N, 256, h, w) → (N, K, H/4, W/4)."""
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
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, outputs, H, W)."""
        out: Tensor = self.norm(self.conv(x))
        return out


class Merge(ConvNorm):
    """What a level of the pyramid gives to the next finer one.

    The paper enlarges first. A 1×1 convolution and an enlargement may change places; this way round costs
    a quarter.
    """

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:  # type: ignore[override]
        """(N, 256, h, w) → (N, 256, *size)."""
        out: Tensor = self.norm(_enlarge(self.conv(x), size))
        return out


class Prediction(ConvNorm):
    """The last layer: features → heatmaps of `map_size`, whose height its batch norm sets."""

    def __init__(self, keypoints: int, map_size: tuple[int, int]) -> None:
        super().__init__(_CHANNELS, keypoints, 3)
        self.map_size = map_size

    def forward(self, x: Tensor) -> Tensor:
        """(N, 256, h, w) → (N, K, H/4, W/4)."""
        out: Tensor = self.norm(_enlarge(self.conv(x), self.map_size))
        return out


def cpn_loss(
    coarse: Sequence[Tensor],
    refined: Tensor,
    targets: Sequence[Tensor],
    annotated: Tensor,
    *,
    hardest: int = 8,
) -> Tensor:
    """The paper's loss: L2 on GlobalNet's heatmaps plus, on RefineNet's, that of the hardest keypoints.

    coarse, refined: from `CPN.forward`. targets: four (N, K, h, w), as wide as `SPREADS` says; RefineNet's
    is the last. annotated: (N, K) bool; other keypoints count nothing. hardest: of each person's keypoints,
    how many RefineNet learns from, those with the largest error (online hard keypoint mining).
    """

    def error(heatmaps: Tensor, target: Tensor) -> Tensor:
        """(N, K), 0 where nobody annotated."""
        return (heatmaps.float() - target).square().mean((-2, -1)) * annotated

    levels = [error(heatmaps, target).mean() for heatmaps, target in zip(coarse, targets, strict=True)]
    mined = error(refined, targets[-1]).topk(min(hardest, refined.shape[1]), 1).values.mean()
    return torch.stack(levels).mean() / 2 + mined  # weighted as in the authors' own code


def _enlarge(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Bilinear, corner cells on corner cells, as in the published networks."""
    if x.shape[-2:] == tuple(size):
        return x
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=True)


def _initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
