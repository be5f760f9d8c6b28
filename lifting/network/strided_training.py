"""The strided training form on a CPU: forward and backward through all layers, written out by hand.

A training step should be its matrix products. With torch's own layers most of it is not: every activation
travels through memory a dozen times, into tensors newly asked of the system in every step. Here a layer keeps
two tensors for the backward pass (what its product gave, and what left it), works on them in blocks that stay
in the cache, and takes its memory from the step before. The numbers are the plain layers': convolution, batch
norm, rectifier, dropout, residual sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .dropout import Dropper

aten = torch.ops.aten
_BLOCK = 2**19  # activations that are worked on at a time


class Scratch:
    """Memory that one training step leaves to the next. Copies and pickles of it are empty."""

    def __init__(self) -> None:
        self._rows = 0
        self._free: dict[tuple[int, torch.dtype], list[Tensor]] = {}

    def start(self, rows: int) -> None:
        """Forget what was kept for batches of another size."""
        if rows != self._rows:
            self._rows, self._free = rows, {}

    def take(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """A tensor of anything."""
        size = prod(shape)
        free = self._free.get((size, dtype))
        return (free.pop() if free else torch.empty(size, dtype=dtype)).view(shape)

    def give(self, tensor: Tensor) -> None:
        """Take back what nobody reads any more."""
        self._free.setdefault((tensor.numel(), tensor.dtype), []).append(tensor.view(-1))

    def __reduce__(self) -> tuple[type[Scratch], tuple[()]]:
        return Scratch, ()


def strided_features(
    rows: Tensor,
    convolutions: Sequence[nn.Conv1d],
    norms: Sequence[nn.BatchNorm1d],
    *,
    causal: bool,
    dropout: float,
    scratch: Scratch,
) -> Tensor:
    """Rows of keypoints (N · T, J · F), through the layers in training mode: (N, C).

    convolutions, norms: the first layer's, then two of each for every residual block.
    Computes in autocast's type where that is on, else in the parameters'. Updates the running statistics.
    Differentiable once, with respect to the parameters.
    """
    dtype = convolutions[0].weight.dtype
    if torch.is_autocast_enabled("cpu") and dtype == torch.float32:
        dtype = torch.get_autocast_dtype("cpu")
    pairs = list(zip(convolutions, norms, strict=True))
    parameters = [p for convolution, norm in pairs for p in (convolution.weight, norm.weight, norm.bias)]
    dropper = Dropper(dropout)
    network = _Network([_Layer(*pair, dropper, scratch) for pair in pairs], causal, scratch)
    with torch.autocast("cpu", enabled=False):
        out: Tensor = _Features.apply(network, rows.to(dtype).contiguous(), *parameters)  # type: ignore[no-untyped-call]
    return out


class _Features(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: _Network, rows: Tensor, *parameters: Tensor) -> Tensor:
        ctx.network = network
        return network.forward(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.network is None:
            raise RuntimeError("the memory of this step is in use again: it has one backward pass only")
        network, ctx.network = ctx.network, None
        with torch.autocast("cpu", enabled=False):
            network.backward(gradient.contiguous())
        return None, None, *(g for layer in network.layers for g in layer.gradients)


class _Network:
    """One step through the layers: the first, then pairs, each pair with a residual round it."""

    def __init__(self, layers: Sequence[_Layer], causal: bool, scratch: Scratch) -> None:
        self.layers = layers
        self._pairs = list(zip(layers[1::2], layers[2::2], strict=True))
        self._causal = causal
        self._scratch = scratch
        self._sums: list[Tensor] = []

    def forward(self, rows: Tensor) -> Tensor:
        self._scratch.start(len(rows))
        x = self.layers[0].forward(rows)
        for wide, narrow in self._pairs:
            y = narrow.forward(wide.forward(x))
            x = torch.add(self._residual(x, wide), y, out=self._scratch.take(y.shape, y.dtype))
            self._sums.append(x)
        return x.clone()  # outlives the backward pass, as scratch does not

    def backward(self, gradient: Tensor) -> None:
        for wide, narrow in reversed(self._pairs):
            self._scratch.give(self._sums.pop())
            inner = narrow.backward(gradient)
            outer = wide.backward(inner).view(-1, gradient.shape[1])
            self._residual(outer, wide).add_(gradient)
            self._scratch.give(inner)
            if wide is not self._pairs[-1][0]:  # whose gradient is somebody else's
                self._scratch.give(gradient)
            gradient = outer
        self.layers[0].backward(gradient, through=False)
        if self._pairs:
            self._scratch.give(gradient)

    def _residual(self, x: Tensor, wide: _Layer) -> Tensor:
        """Of every `width` rows the one that stands for the frame they become."""
        return x.view(-1, wide.width, x.shape[1])[:, wide.width - 1 if self._causal else wide.width // 2]


class _Layer:
    """Convolution (on rows, its stride its width), batch norm, rectifier and dropout.

    Between the passes are kept x, the rows in; y, their product with the weights; z, the rows out.
    """

    def __init__(
        self, convolution: nn.Conv1d, norm: nn.BatchNorm1d, dropper: Dropper, scratch: Scratch
    ) -> None:
        (self.width,) = convolution.kernel_size
        self.gradients: tuple[Tensor, ...] = ()  # of the convolution's weight, the norm's weight and bias
        self._weight = convolution.weight.detach()
        self._norm = norm
        self._dropper = dropper
        self._scratch = scratch

    def forward(self, rows: Tensor) -> Tensor:
        """(N · width, C_in) → (N, C_out)."""
        norm, dropper = self._norm, self._dropper
        assert norm.momentum is not None
        assert norm.num_batches_tracked is not None
        self._matrix = self._weight.to(rows.dtype).permute(0, 2, 1).flatten(1)  # (C_out, width · C_in)
        self._x = x = rows.view(-1, self._matrix.shape[1])
        shape = (len(x), len(self._matrix))
        self._y = y = torch.mm(x, self._matrix.T, out=self._scratch.take(shape, x.dtype))
        self._z = z = self._scratch.take(shape, x.dtype)
        norm.num_batches_tracked.add_(1)
        mean, variance = torch.batch_norm_update_stats(y, norm.running_mean, norm.running_var, norm.momentum)
        self._statistics = mean, variance, norm.eps
        self._gain = norm.weight.detach() * dropper.scale  # dropout's scale is taken together with the norm's
        bias = norm.bias.detach() * dropper.scale
        for block in _blocks(y):
            _normalise(y[block], self._gain, bias, *self._statistics, out=z[block])
            dropper.drop_(z[block].relu_())
        return z

    def backward(self, gradient: Tensor, *, through: bool = True) -> Tensor:
        """∂z → ∂x, if `through`; keeps the parameters' gradients and gives the memory back.

        With ŷ = (y − mean) / σ and g = ∂z where z > 0, batch norm's gradient is
        ∂y = gain / σ · (g − mean(g) − ŷ · mean(g · ŷ)). The factor gain / σ goes into the weights.
        """
        x, y, z = self._x, self._y, self._z
        mean, variance, epsilon = self._statistics
        take = self._scratch.take
        d = take(y.shape, y.dtype)
        of_weight, of_bias = torch.zeros_like(mean), torch.zeros_like(mean)
        for block in _blocks(y):
            g = d[block]
            aten.threshold_backward.grad_input(gradient[block], z[block], 0, grad_input=g)
            _, *sums = aten.native_batch_norm_backward(
                g, y[block], None, mean, variance, None, None, False, epsilon, [False, True, True]
            )
            of_weight += sums[0]
            of_bias += sums[1]
        centring = torch.empty_like(y[next(_blocks(y))])
        for block in _blocks(y):
            part = centring[: len(y[block])]
            _normalise(y[block], of_weight / -len(y), of_bias / -len(y), *self._statistics, out=part)
            d[block].add_(part)

        factor = (self._gain / (variance + epsilon).sqrt())[:, None]
        product = torch.mm(d.T, x, out=take(self._matrix.shape, x.dtype))
        exact = take(product.shape, mean.dtype).copy_(product)
        taps = exact.view(len(exact), self.width, -1).permute(0, 2, 1)
        of_convolution = torch.mul(taps, factor[:, None], out=torch.empty_like(self._weight))
        scale = self._dropper.scale
        self.gradients = of_convolution, of_weight * scale, of_bias * scale

        if through:
            x = torch.mm(d, self._matrix * factor.to(x.dtype), out=take(x.shape, x.dtype))
        for tensor in (y, z, d, product, exact):
            self._scratch.give(tensor)
        return x


def _blocks(x: Tensor) -> Iterator[slice]:
    """Slices of rows that fit the cache."""
    step = max(1, _BLOCK // x.shape[1])
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _normalise(
    y: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float, *, out: Tensor
) -> None:
    """(y − mean) / √(variance + ε) · weight + bias, of y in the vectors' numbers or in narrower ones."""
    none = mean.new_empty(0)
    torch.native_batch_norm(y, weight, bias, mean, variance, False, 0.0, epsilon, out=(out, none, none))
