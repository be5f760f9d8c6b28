"""A matrix product with a fixed matrix, which a processor is given in the order that suits it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


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
