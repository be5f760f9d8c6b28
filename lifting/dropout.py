"""Rectify and drop in one differentiable step, with random numbers a byte each.

On a CPU the generator is the dearest part of a training step: one 64-bit draw per activation costs more than
the matrix products. Eight activations share a draw here, and the backward pass needs no mask, because a
dropped or negative activation is one whose output is zero.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F


def relu_dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """`dropout(relu(x), probability)`, any shape.

    On a CPU the probability is rounded to 1/256 (0.25, the paper's, is exact) and the kept activations are
    scaled by the rounded one, so the expectation is exact. Draws come from torch's global generator.
    """
    if not training or probability == 0:
        return F.relu(x)
    threshold = round(probability * 256)
    if x.device.type != "cpu" or not 0 < threshold < 256:
        return F.dropout(F.relu(x), probability, True)
    result: Tensor = _ReluDropout.apply(x, threshold)  # type: ignore[no-untyped-call]
    return result


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, threshold: int) -> Tensor:
        draws = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        keep = (draws.view(torch.uint8)[: x.numel()] >= threshold).view(x.shape)
        scale = 256 / (256 - threshold)
        out = F.relu(x).mul_(keep.to(x.dtype)).mul_(scale)
        ctx.save_for_backward(out)
        ctx.scale = scale  # type: ignore[attr-defined]
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        (out,) = ctx.saved_tensors  # type: ignore[attr-defined]
        passed = torch.ops.aten.threshold_backward(grad, out, 0)
        return passed.mul_(ctx.scale), None  # type: ignore[attr-defined]
