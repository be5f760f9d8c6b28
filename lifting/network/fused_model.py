"""The temporal model for inference: batch norm is fused into the weights, a layer is one product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .temporal_model import TemporalModel

Precision = Literal["float32", "bfloat16"]
"""Number format of the hidden layers. bfloat16 moves joints by 0.3 mm. It takes less than half the time on
processors that multiply it in hardware (AVX-512 BF16, AMX) and more time on
others, so it is not the default."""


@dataclass(frozen=True)
class FusedLayer:
    """A convolution with the batch norm and the rectifier that follow it, for sequences of rows.

    Attributes:
        matrix: (C_out, width · C_in), the weights of the earliest frame first.
        bias: (C_out,).
        width: Number of frames that one output row is computed from.
        dilation: Distance between these frames, in frames.
    """

    matrix: Tensor
    bias: Tensor
    width: int
    dilation: int

    @classmethod
    def of(cls, convolution: nn.Module, norm: nn.Module, dtype: torch.dtype) -> FusedLayer:
        """Fuse two modules of a `TemporalModel`, with batch norm as in evaluation mode.

        Args:
            convolution: An `nn.Conv1d` without bias.
            norm: The `nn.BatchNorm1d` that follows it.
            dtype: Number format of the fused weights.
        """
        assert isinstance(convolution, nn.Conv1d)
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        weight, bias = fuse_conv_bn_weights(
            convolution.weight,
            convolution.bias,
            norm.running_mean,
            norm.running_var,
            norm.eps,
            norm.weight,
            norm.bias,
        )
        matrix = weight.detach().to(dtype).permute(0, 2, 1).flatten(1)
        (width,), (dilation,) = convolution.kernel_size, convolution.dilation
        return cls(matrix, bias.detach().to(dtype), width, dilation)

    @property
    def reach(self) -> int:
        """Number of frames by which the output is shorter than the input."""
        return (self.width - 1) * self.dilation

    @cached_property
    def product(self) -> FusedLinear:
        """The layer as a function of rows of `width` frames."""
        return FusedLinear(self.matrix, self.bias, rectify=True)

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the layer. The input is converted to the number format of the layer.

        Shape:
            - Input: (N, T, C_in).
            - Output: (N, T − reach, C_out).
        """
        x = x.to(self.matrix.dtype)
        frames = x.shape[1] - self.reach
        taps = [x[:, start : start + frames] for start in range(0, self.reach + 1, self.dilation)]
        return self.product(torch.cat(taps, 2) if self.width > 1 else x)


class FusedModel:
    """A `TemporalModel` in evaluation mode, with a copy of its weights. It is not differentiable.

    The first and the last layer cost little and keep the model's own number format. They read coordinates
    and write metres, where the three digits of bfloat16 would cost the most accuracy.

    Args:
        model: The model to copy.
        dtype: Number format of the hidden layers.
    """

    def __init__(self, model: TemporalModel, dtype: torch.dtype) -> None:
        self.causal = model.causal
        self.padding = model.padding
        self.num_joints_out = model.num_joints_out
        self.device = model.device
        with torch.no_grad():
            self.first = FusedLayer.of(model.expand_conv, model.expand_bn, model.expand_conv.weight.dtype)
            layers = [
                FusedLayer.of(convolution, norm, dtype)
                for convolution, norm in zip(model.layers_conv, model.layers_bn, strict=True)
            ]
            assert model.shrink.bias is not None
            self.last = FusedLinear(model.shrink.weight.squeeze(2).clone(), model.shrink.bias.clone())
        self.pairs = list(zip(layers[::2], layers[1::2], strict=True))

    @torch.no_grad()
    def __call__(self, keypoints: Tensor) -> Tensor:
        """Predict poses as `TemporalModel.forward` does.

        Shape:
            - Input: (N, T, J, F), the lifter input.
            - Output: (N, T − receptive_field + 1, J_out, 3), in metres.
        """
        x = self.first(keypoints.flatten(2))
        for wide, narrow in self.pairs:
            start = wide.reach if self.causal else wide.reach // 2
            y = narrow(wide(x))
            x = y.add_(x[:, start : start + y.shape[1]])
        out = self.last(x)
        return out.view(*out.shape[:2], -1, 3)


class FusedLinear:
    """The function x ↦ x · matrixᵀ + bias, optionally with a rectifier. It is not differentiable.

    On a CPU, oneDNN reorders the matrix for every product, and a rectifier is a further pass over the
    result. The operators that `torch.compile` uses take a matrix that was reordered once, and rectify in the
    same pass; they have no public names. They save a tenth of the time of large bfloat16 products, half of
    the time of products of few rows, and as much in float32, which torch otherwise gives to MKL.

    Args:
        matrix: (C_out, C_in).
        bias: (C_out,), or None for no bias.
        rectify: Whether to replace negative results by 0.
    """

    def __init__(self, matrix: Tensor, bias: Tensor | None = None, *, rectify: bool = False) -> None:
        self.bias = bias
        self.rectify = rectify
        self.dtype = matrix.dtype
        self.reordered = _can_reorder(matrix)
        self.matrix = (
            torch.ops.mkldnn._reorder_linear_weight(matrix.contiguous()) if self.reordered else matrix
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the product. The input is converted to the number format of the matrix.

        Shape:
            - Input: (…, C_in).
            - Output: (…, C_out).
        """
        x = x.to(self.dtype)
        if self.reordered:
            after = "relu" if self.rectify else "none"
            out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.matrix, self.bias, after, [], "")
            return out
        out = F.linear(x, self.matrix, self.bias)
        return out.relu_() if self.rectify else out


def _can_reorder(matrix: Tensor) -> bool:
    """Return whether oneDNN's operators exist in this torch and support the matrix."""
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not built or matrix.device.type != "cpu" or not matrix.numel():
        return False
    if not all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise")):
        return False  # Operators without a public name can be missing in another version of torch.
    if matrix.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return matrix.dtype == torch.float32
