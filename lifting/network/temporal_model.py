"""The temporal convolutional model of Pavllo et al. (CVPR 2019), §3 and figure 2.

The parameters have VideoPose3D's names (`expand_conv`, `expand_bn`, `layers_conv.N`, `layers_bn.N`,
`shrink`), so that each program can load the other's checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import relu_dropout
from .strided_training import Scratch, strided_features

LONGEST_RECEPTIVE_FIELD = 10_000
"""Frames; the paper's longest is 243."""


def architecture_shapes(architecture: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight of a `TemporalModel`, without making it.

    Args:
        architecture: The arguments of `TemporalModel`.

    Raises:
        TypeError, ValueError: An argument is unknown, missing, of another type, or impossible.
    """
    architecture = dict(architecture)
    for name in ("num_joints_in", "in_features", "num_joints_out", "channels"):
        value = architecture.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1 << 20:
            raise ValueError(f"{name}: expected a number from 1 on, found {value!r}")
    widths = architecture.get("filter_widths", ())
    if not isinstance(widths, Sequence) or not all(isinstance(width, int) for width in widths):
        raise ValueError(f"filter_widths: expected numbers, found {widths!r}")
    if len(widths) > 20 or not 0 <= prod(widths) <= LONGEST_RECEPTIVE_FIELD:
        raise ValueError(f"filter_widths: expected to see at most {LONGEST_RECEPTIVE_FIELD} frames")
    for name in ("causal", "dense"):
        if not isinstance(architecture.get(name, False), bool):
            raise ValueError(f"{name}: expected true or false")
    dropout = architecture.get("dropout", 0)
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise ValueError(f"dropout: expected a probability below 1, found {dropout!r}")
    with torch.device("meta"):  # nothing is allocated
        model = TemporalModel(**architecture)
    return {name: tuple(weight.shape) for name, weight in model.state_dict().items()}


class TemporalModel(nn.Module):
    """Predict the 3D pose of a frame from the 2D keypoints of the frames around it.

    A sequence gives one pose for every frame that has a whole receptive field around it.

    Args:
        num_joints_in: Joints of the input.
        in_features: Numbers per joint; 2 means x and y.
        num_joints_out: Joints of the output; 1 makes a trajectory model.
        filter_widths: Widths of the convolutions, odd numbers. The receptive field is their product.
            Widths of 1 make the single-frame model of the ablation.
        causal: Whether to read past frames only (§3, "real-time"). The output then belongs to the last frame
            of the window, otherwise to the middle one.
        dropout: Probability of dropping an activation in training.
        channels: Width of the hidden layers.
        dense: Whether to use convolutions without dilation that are as wide as the dilated ones reach
            (the ablation in table 5).

    Raises:
        ValueError: A filter width is even, or there is none.
    """

    def __init__(
        self,
        *,
        num_joints_in: int = 17,
        in_features: int = 2,
        num_joints_out: int = 17,
        filter_widths: Sequence[int] = (3, 3, 3, 3, 3),
        causal: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
        dense: bool = False,
    ) -> None:
        super().__init__()
        if not filter_widths or any(w < 1 or w % 2 == 0 for w in filter_widths):
            raise ValueError(f"expected odd filter widths, found {tuple(filter_widths)}")
        self.num_joints_in = num_joints_in
        self.in_features = in_features
        self.num_joints_out = num_joints_out
        self.filter_widths = tuple(filter_widths)
        self.causal = causal
        self.dropout = dropout
        self.channels = channels
        self.dense = dense

        first, *rest = self.filter_widths
        self.expand_conv = nn.Conv1d(num_joints_in * in_features, channels, first, bias=False)
        self.expand_bn = nn.BatchNorm1d(channels, momentum=0.1)
        convolutions: list[nn.Module] = []
        dilation = first
        for width in rest:
            reach = (width - 1) * dilation + 1
            convolutions += [
                nn.Conv1d(channels, channels, reach, bias=False)
                if dense
                else nn.Conv1d(channels, channels, width, dilation=dilation, bias=False),
                nn.Conv1d(channels, channels, 1, bias=False),
            ]
            dilation *= width
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(channels, momentum=0.1) for _ in convolutions)
        self.shrink = nn.Conv1d(channels, num_joints_out * 3, 1)
        self._scratch = Scratch()

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one output frame is computed from."""
        return prod(self.filter_widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Number of frames to add before and after a sequence so that each of its frames gets an output."""
        reach = self.receptive_field - 1
        return (reach, 0) if self.causal else (reach // 2, reach // 2)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.shrink.weight.device

    def forward(self, keypoints: Tensor) -> Tensor:
        """Predict poses by dilated convolutions without padding.

        One pass predicts the poses of a whole clip, whatever its length.

        Args:
            keypoints: The lifter input.

        Raises:
            ValueError: The input has another shape, or fewer frames than the receptive field.

        Shape:
            - Input: (N, T, J, F).
            - Output: (N, T − receptive_field + 1, J_out, 3), in metres.
        """
        batch, frames = self._check(keypoints)
        x = keypoints.reshape(batch, frames, -1).permute(0, 2, 1)
        x = self._activate(self.expand_conv(x), self.expand_bn)
        dilation = self.filter_widths[0]
        for block, width in enumerate(self.filter_widths[1:]):
            reach = (width - 1) * dilation
            start = reach if self.causal else reach // 2
            residual = x[:, :, start : start + x.shape[2] - reach]
            x = self._activate(self.layers_conv[2 * block](x), self.layers_bn[2 * block])
            x = self._activate(self.layers_conv[2 * block + 1](x), self.layers_bn[2 * block + 1])
            x = residual + x if torch.is_grad_enabled() else x.add_(residual)
            dilation *= width
        out: Tensor = self.shrink(x)
        return out.permute(0, 2, 1).reshape(batch, -1, self.num_joints_out, 3)

    def forward_strided(self, keypoints: Tensor) -> Tensor:
        """Predict the pose of one frame per window by strided convolutions (§5, "implementation details").

        If only one output frame per window is needed, dilated convolutions compute frames that are not used.
        Strided convolutions skip these frames and have the same parameters. With a stride equal to the width,
        each convolution is a reshape and a matrix product. On a CPU, training uses `strided_training`, which
        gives the same numbers in less time.

        Args:
            keypoints: The lifter input, one receptive field per window.

        Raises:
            ValueError: The input has another shape, or the model is dense.

        Shape:
            - Input: (N, receptive_field, J, F).
            - Output: (N, 1, J_out, 3), in metres.
        """
        if self.dense:
            raise ValueError("a dense model has no strided form; use forward")
        batch, frames = self._check(keypoints)
        if frames != self.receptive_field:
            raise ValueError(f"expected {self.receptive_field} frames per window, found {frames}")
        rows = keypoints.reshape(batch * frames, -1)
        by_hand = self.training and torch.is_grad_enabled() and rows.device.type == "cpu" and batch > 1
        if by_hand and not rows.requires_grad:
            x = strided_features(
                rows,
                [self.expand_conv, *self.layers_conv],
                [self.expand_bn, *self.layers_bn],
                causal=self.causal,
                dropout=self.dropout,
                scratch=self._scratch,
            )
        else:
            x = self._strided_features(rows)
        x = F.linear(x, self.shrink.weight.squeeze(2), self.shrink.bias)
        return x.reshape(batch, 1, self.num_joints_out, 3)

    def _strided_features(self, rows: Tensor) -> Tensor:
        """Compute all layers but the last, on rows: (N · receptive_field, J · F) → (N, C)."""
        x = self._strided(rows, self.expand_conv, self.expand_bn)
        for block, width in enumerate(self.filter_widths[1:]):
            residual = x[width - 1 if self.causal else width // 2 :: width]
            x = self._strided(x, self.layers_conv[2 * block], self.layers_bn[2 * block])
            x = self._strided(x, self.layers_conv[2 * block + 1], self.layers_bn[2 * block + 1])
            x = residual + x
        return x

    def _check(self, keypoints: Tensor) -> tuple[int, int]:
        """Check the input, and return its numbers of sequences and frames."""
        if keypoints.ndim != 4 or keypoints.shape[2:] != (self.num_joints_in, self.in_features):
            raise ValueError(
                f"expected (N, T, {self.num_joints_in}, {self.in_features}), found {tuple(keypoints.shape)}"
            )
        if keypoints.shape[1] < self.receptive_field:
            raise ValueError(
                f"expected at least {self.receptive_field} frames, found {keypoints.shape[1]}; "
                "repeat the first and last frame as `padding` says"
            )
        return keypoints.shape[0], keypoints.shape[1]

    def _activate(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Apply batch norm, rectifier and dropout."""
        x = norm(x)
        return relu_dropout(x, self.dropout, True) if self.training else x.relu_()

    def _strided(self, x: Tensor, convolution: nn.Module, norm: nn.Module) -> Tensor:
        """Compute one layer on rows: (N · T, C) → (N · T / width, C_out)."""
        assert isinstance(convolution, nn.Conv1d)
        weight = convolution.weight.permute(0, 2, 1).flatten(
            1
        )  # (C_out, width · C), frames first as in the rows
        return self._activate(F.linear(x.reshape(-1, weight.shape[1]), weight), norm)
