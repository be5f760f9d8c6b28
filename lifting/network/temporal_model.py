"""The temporal convolutional model of Pavllo et al. (CVPR 2019), §3 and figure 2, exactly as published.

The parameters carry the published names (`expand_conv`, `expand_bn`, `layers_conv.N`, `layers_bn.N`,
`shrink`), so that published checkpoints load here and ours load there.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .dropout import relu_dropout
from .strided_training import Scratch, strided_features


class TemporalModel(nn.Module):
    """A sequence of 2D keypoints in, the 3D pose at every frame that has a whole receptive field out.

    num_joints_in, in_features: joints of the input and numbers per joint (2: x and y).
    num_joints_out: joints of the output; 1 makes a trajectory model.
    filter_widths: odd convolution widths; the receptive field is their product. Widths of 1 make the
        single-frame model of the ablation.
    causal: look at the past only (§3, "real-time"); the output belongs to the window's last frame.
    dropout: probability of dropping an activation in training.
    channels: width of the hidden layers.
    dense: undilated convolutions as wide as the dilated ones reach (Table 5's ablation).

    Raises `ValueError` for even or missing filter widths.
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
            raise ValueError(f"filter widths must be odd, got {tuple(filter_widths)}")
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
        """Frames that one output frame looks at."""
        return prod(self.filter_widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a sequence so that every frame of it gets an output."""
        reach = self.receptive_field - 1
        return (reach, 0) if self.causal else (reach // 2, reach // 2)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.shrink.weight.device

    def set_batch_norm_momentum(self, momentum: float) -> None:
        """Set every batch norm's momentum (the training schedule decays it, §5)."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = momentum

    def forward(self, keypoints: Tensor) -> Tensor:
        """Dilated, valid convolutions: (N, T, J, F) → (N, T − receptive_field + 1, J_out, 3).

        The same weights serve sequences of any length, so one pass lifts a whole clip.
        Raises `ValueError` for another shape or too short a sequence.
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
        """The training form (§5, "implementation details"): (N, receptive_field, J, F) → (N, 1, J_out, 3).

        Where only one output frame per window is wanted, a dilated convolution computes frames that nobody
        reads; striding by the width skips them. With stride equal to width each convolution is a reshape
        and a matrix product on (N, T, C), which the hardware does best, and the parameters are the very
        same as `forward`'s. Raises `ValueError` for another shape, or for a dense model.
        On a CPU the training step is `strided_training`'s: the same numbers, in less time.
        """
        if self.dense:
            raise ValueError("a dense model has no strided form")
        batch, frames = self._check(keypoints)
        if frames != self.receptive_field:
            raise ValueError(f"expected {self.receptive_field} frames a window, got {frames}")
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
        """All layers but the last, on rows: (N · receptive_field, J · F) → (N, C)."""
        x = self._strided(rows, self.expand_conv, self.expand_bn)
        for block, width in enumerate(self.filter_widths[1:]):
            residual = x[width - 1 if self.causal else width // 2 :: width]
            x = self._strided(x, self.layers_conv[2 * block], self.layers_bn[2 * block])
            x = self._strided(x, self.layers_conv[2 * block + 1], self.layers_bn[2 * block + 1])
            x = residual + x
        return x

    def _check(self, keypoints: Tensor) -> tuple[int, int]:
        if keypoints.ndim != 4 or keypoints.shape[2:] != (self.num_joints_in, self.in_features):
            raise ValueError(
                f"expected (N, T, {self.num_joints_in}, {self.in_features}), got {tuple(keypoints.shape)}"
            )
        if keypoints.shape[1] < self.receptive_field:
            raise ValueError(f"a sequence needs at least {self.receptive_field} frames")
        return keypoints.shape[0], keypoints.shape[1]

    def _activate(self, x: Tensor, norm: nn.Module) -> Tensor:
        x = norm(x)
        return relu_dropout(x, self.dropout, True) if self.training else x.relu_()

    def _strided(self, x: Tensor, convolution: nn.Module, norm: nn.Module) -> Tensor:
        """One layer on rows: (N·T, C) → (N·T / width, C_out)."""
        assert isinstance(convolution, nn.Conv1d)
        weight = convolution.weight.permute(0, 2, 1).flatten(1)  # (C_out, width · C), time-major as rows are
        return self._activate(F.linear(x.reshape(-1, weight.shape[1]), weight), norm)
