"""The temporal model for inference: batch norm folded into the weights, one matrix product a layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .temporal_model import TemporalModel

Precision = Literal["float32", "bfloat16"]
"""Of the hidden layers. bfloat16 moves joints by 0.3 mm. It takes less than half the time on processors
that multiply it (AVX-512 BF16, AMX) and longer on others, so it has to be asked for."""


@dataclass(frozen=True)
class FoldedLayer:
    """A convolution and the batch norm and rectifier behind it, on sequences of rows.

    matrix: (C_out, width · C_in), the earliest frame's weights first. bias: (C_out,). A row is made of
    `width` frames, `dilation` apart.
    """

    matrix: Tensor
    bias: Tensor
    width: int
    dilation: int

    @classmethod
    def of(cls, convolution: nn.Module, norm: nn.Module, dtype: torch.dtype) -> FoldedLayer:
        """The layer as it is in evaluation mode, in numbers of `dtype`."""
        assert isinstance(convolution, nn.Conv1d)
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        matrix = (convolution.weight * factor[:, None, None]).to(dtype).permute(0, 2, 1).flatten(1)
        bias = norm.bias - norm.running_mean * factor
        (width,), (dilation,) = convolution.kernel_size, convolution.dilation
        return cls(matrix, bias.to(dtype), width, dilation)

    @property
    def reach(self) -> int:
        """How much shorter a sequence comes out."""
        return (self.width - 1) * self.dilation

    @cached_property
    def product(self) -> PackedLinear:
        """Rows → the layer's output."""
        return PackedLinear(self.matrix, self.bias, rectify=True)

    def __call__(self, x: Tensor) -> Tensor:
        """(N, T, C_in) of any type → (N, T − reach, C_out) of the layer's."""
        x = x.to(self.matrix.dtype)
        frames = x.shape[1] - self.reach
        taps = [x[:, start : start + frames] for start in range(0, self.reach + 1, self.dilation)]
        return self.product(torch.cat(taps, 2) if self.width > 1 else x)


class FoldedModel:
    """A `TemporalModel` in evaluation mode, with its weights as they are now; not differentiable.

    dtype: of the hidden layers. The first and the last layer, which cost little, keep the model's own: they
    read coordinates and write metres, and bfloat16's three digits would be missed most there.
    """

    def __init__(self, model: TemporalModel, dtype: torch.dtype) -> None:
        self.causal = model.causal
        self.padding = model.padding
        self.num_joints_out = model.num_joints_out
        self.device = model.device
        with torch.no_grad():
            self.first = FoldedLayer.of(model.expand_conv, model.expand_bn, model.expand_conv.weight.dtype)
            layers = [
                FoldedLayer.of(convolution, norm, dtype)
                for convolution, norm in zip(model.layers_conv, model.layers_bn, strict=True)
            ]
            assert model.shrink.bias is not None
            self.last = PackedLinear(model.shrink.weight.squeeze(2).clone(), model.shrink.bias.clone())
        self.pairs = list(zip(layers[::2], layers[1::2], strict=True))

    @torch.no_grad()
    def __call__(self, keypoints: Tensor) -> Tensor:
        """As `TemporalModel.forward`: (N, T, J, F) → (N, T − receptive_field + 1, J_out, 3)."""
        x = self.first(keypoints.flatten(2))
        for wide, narrow in self.pairs:
            start = wide.reach if self.causal else wide.reach // 2
            y = narrow(wide(x))
            x = y.add_(x[:, start : start + y.shape[1]])
        out = self.last(x)
        return out.view(*out.shape[:2], -1, 3)


class PackedLinear:
    """x ↦ x · matrixᵀ + bias, perhaps rectified; not differentiable.

    matrix: (C_out, C_in). bias: (C_out,) or None. rectify: whether negative results become 0.

    On a CPU, oneDNN reorders a matrix for every product, and rectifying is another pass. Its operators that
    take a matrix reordered before, and rectify, are those that `torch.compile` calls; they have no public
    names. They take a tenth off large products of bfloat16, half off products with a few rows, and as much
    off float32, which torch gives to MKL otherwise.
    """

    def __init__(self, matrix: Tensor, bias: Tensor | None = None, *, rectify: bool = False) -> None:
        self.bias = bias
        self.rectify = rectify
        self.dtype = matrix.dtype
        self.packed = _can_pack(matrix)
        self.matrix = torch.ops.mkldnn._reorder_linear_weight(matrix.contiguous()) if self.packed else matrix

    def __call__(self, x: Tensor) -> Tensor:
        """(…, C_in) of any type → (…, C_out) of the matrix's."""
        x = x.to(self.dtype)
        if self.packed:
            after = "relu" if self.rectify else "none"
            out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.matrix, self.bias, after, [], "")
            return out
        out = F.linear(x, self.matrix, self.bias)
        return out.relu_() if self.rectify else out


def _can_pack(matrix: Tensor) -> bool:
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not built or matrix.device.type != "cpu" or not matrix.numel():
        return False
    if not all(hasattr(torch.ops.mkldnn, name) for name in ("_reorder_linear_weight", "_linear_pointwise")):
        return False  # what has no public name may be gone in another torch
    if matrix.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return matrix.dtype == torch.float32
