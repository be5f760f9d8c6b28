"""Dropout by random bits, and rectifier and dropout in one differentiable step.

On a CPU the random generator is the slowest part of dropout: a 64-bit random number per activation takes more
time than the matrix product before it. Here an activation uses only as many bits as its probability needs.
Dropping is arithmetic on integers as wide as the activations, which the processor does on many at a time. The
backward pass needs no mask, because the output of a dropped or negative activation is zero.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # By number of bytes.


class Dropper:
    """Set activations to zero at random, in place. The caller multiplies the others by `scale`.

    Random numbers come from torch's global generator.

    Args:
        probability: Probability of dropping an activation. It is rounded to a multiple of 1/256; if it is
            positive, to 1/256 at least and 255/256 at most. The paper's 0.25 is exact.
    """

    def __init__(self, probability: float) -> None:
        dropped = min(max(round(probability * 256), 1), 255) if probability > 0 else 0
        self.scale = 256 / (256 - dropped)
        self._dropped = dropped
        # The smallest of 1, 2, 4 and 8 bits that can express the probability: 2 for a quarter.
        self._bits = next((b for b in (1, 2, 4) if dropped % (256 >> b) == 0), 8)
        self._random_bits = torch.empty(0, dtype=torch.int64)
        self._shift = 0

    def drop_(self, x: Tensor) -> None:
        """Drop some values of `x`, a contiguous CPU tensor of floats of 2, 4 or 8 bytes."""
        if not self._dropped:
            return
        integers = x.view(-1).view(_INTEGERS[x.element_size()])
        width = 8 * x.element_size()
        count = -(-len(integers) * width // 64)
        if count > len(self._random_bits) or self._shift + self._bits > width:
            self._random_bits, self._shift = torch.empty(count, dtype=torch.int64).random_(-(2**63), None), 0
        # Shift unused bits to the top, because the top bits decide the comparison of signed numbers.
        keep = self._random_bits[:count].view(integers.dtype)[: len(integers)] << self._shift
        self._shift += self._bits
        keep.ge_((self._dropped - 128) << (width - 8))  # Integers of this width: 1 to keep, 0 to drop.
        integers.mul_(keep)


def relu_dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """Compute `dropout(relu(x), probability)` of a tensor of any shape.

    Args:
        x: The activations.
        probability: Probability of dropping one. On a CPU it is rounded as in `Dropper`.
        training: Whether to drop; otherwise only the rectifier applies.
    """
    if not training or probability == 0:
        return F.relu(x)
    if x.device.type != "cpu":
        return F.dropout(F.relu(x), probability, True)
    result: Tensor = _ReluDropout.apply(x, Dropper(probability))  # type: ignore[no-untyped-call]
    return result


class _ReluDropout(torch.autograd.Function):
    """Rectifier and dropout on a CPU."""

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
