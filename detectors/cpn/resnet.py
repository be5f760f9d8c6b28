"""ResNet (He et al., arXiv 1512.03385), the backbone of the cascaded pyramid network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

RESNET50 = (3, 4, 6, 3)
"""Residual blocks in each of ResNet-50's four stages."""


class Bottleneck(nn.Module):
    """A residual block, with its stride in the 3×3 convolution.

    The parts have the names of the published ResNets.

    Args:
        inputs: Channels in.
        middle: Channels of the 3×3 convolution.
        outputs: Channels out.
        stride: Stride of the block.
        project: Whether the shortcut is a convolution too.
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
        initialise(self)
        # The block begins as its shortcut (Goyal et al., arXiv 1706.02677).
        nn.init.zeros_(self.bn3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        out = functional.relu(self.bn2(self.conv2(out)), inplace=True)
        return functional.relu(self.bn3(self.conv3(out)) + self.downsample(x), inplace=True)


class ResNet(nn.Module):
    """A ResNet without its last layer.

    Args:
        blocks: Residual blocks in each of the four stages.
    """

    def __init__(self, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        initialise(self)
        self.layer1 = _stage(64, 64, blocks[0], stride=1)
        self.layer2 = _stage(256, 128, blocks[1], stride=2)
        self.layer3 = _stage(512, 256, blocks[2], stride=2)
        self.layer4 = _stage(1024, 512, blocks[3], stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to features of 256, 512, 1024 and 2048 channels, at strides 4, 8, 16 and 32."""
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


def initialise(module: nn.Module) -> None:
    """Give all convolutions of a module new random weights."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
