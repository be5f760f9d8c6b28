"""Dropout by random bits, and rectify-and-drop in one differentiable step.

On a CPU the generator is the dearest part of dropout: one 64-bit draw per activation costs more than the
matrix product before it. Here an activation takes only as many bits as its probability needs, and dropping
is arithmetic on integers as wide as the activations, which the processor does many at a time. The backward
pass needs no mask, because a dropped or negative activation is one whose output is zero.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes


class Dropper:
    """Sets activations to zero at random, in place, without the usual scaling of those that stay.

    The probability is rounded to 256ths, at least one of them and not all (0.25, the paper's, is exact);
    `scale` makes up for what is dropped. Draws come from torch's global generator.
    """

    def __init__(self, probability: float) -> None:
        dropped = min(max(round(probability * 256), 1), 255) if probability > 0 else 0
        self.scale = 256 / (256 - dropped)
        self._dropped = dropped
        # The fewest of 1, 2, 4, 8 bits that express the probability: 2 for a quarter.
        self._bits = next((b for b in (1, 2, 4) if dropped % (256 >> b) == 0), 8)
        self._draws = torch.empty(0, dtype=torch.int64)
        self._shift = 0

    def drop_(self, x: Tensor) -> None:
        """Drop some of `x`, a contiguous CPU tensor of 2, 4 or 8 byte floats."""
        if not self._dropped:
            return
        integers = x.view(-1).view(_INTEGERS[x.element_size()])
        width = 8 * x.element_size()
        count = -(-len(integers) * width // 64)
        if count > len(self._draws) or self._shift + self._bits > width:
            self._draws, self._shift = torch.empty(count, dtype=torch.int64).random_(-(2**63), None), 0
        # Bits not used before come to the top; the top bits decide how a signed number compares.
        keep = self._draws[:count].view(integers.dtype)[: len(integers)] << self._shift
        self._shift += self._bits
        keep.ge_((self._dropped - 128) << (width - 8))  # 1 or 0, as integers of this width
        integers.mul_(keep)


def relu_dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """`dropout(relu(x), probability)`, any shape; on a CPU the probability is rounded as `Dropper`'s."""
    if not training or probability == 0:
        return F.relu(x)
    if x.device.type != "cpu":
        return F.dropout(F.relu(x), probability, True)
    result: Tensor = _ReluDropout.apply(x, Dropper(probability))  # type: ignore[no-untyped-call]
    return result


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dropper: Dropper) -> Tensor:
        out = F.relu(x.contiguous()).mul_(dropper.scale)
        dropper.drop_(out)
        ctx.save_for_backward(out)
        ctx.scale = dropper.scale  # type: ignore[attr-defined]
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        (out,) = ctx.saved_tensors  # type: ignore[attr-defined]
        passed = torch.ops.aten.threshold_backward(grad, out, 0)
        return passed.mul_(ctx.scale), None  # type: ignore[attr-defined]
