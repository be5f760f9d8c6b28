"""Strided training on a CPU: the forward and the backward pass through all layers, written by hand.

With torch's own layers, a training step spends most of its time on memory instead of matrix products: each
activation is read and written about twelve times, and each step allocates new tensors. Here a layer keeps two
tensors for the backward pass (its product and its output), processes them in blocks that fit the cache, and
reuses the memory of the step before. The numbers equal those of torch's layers: convolution, batch norm,
rectifier, dropout, residual sum.
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
_BLOCK = 2**19  # Number of activations in a block.


class Scratch:
    """Memory that the next training step reuses. Copies and pickles of it are empty."""

    def __init__(self) -> None:
        self._rows = 0
        self._free: dict[tuple[int, torch.dtype], list[Tensor]] = {}

    def start(self, rows: int) -> None:
        """Begin a step of `rows` input rows; free the memory of batches of another size."""
        if rows != self._rows:
            self._rows, self._free = rows, {}

    def take(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Return a tensor with undefined values."""
        size = prod(shape)
        free = self._free.get((size, dtype))
        return (free.pop() if free else torch.empty(size, dtype=dtype)).view(shape)

    def give(self, tensor: Tensor) -> None:
        """Keep a tensor that is no longer used, for `take`."""
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
    """Compute all layers but the last in training mode, and update batch norm's running statistics.

    The number format is autocast's if autocast is on, otherwise the parameters'. The result can be
    differentiated once, with respect to the parameters.

    Args:
        rows: The lifter input, one row per frame.
        convolutions: The first layer's convolution, then two for each residual block.
        norms: The batch norm that follows each convolution.
        causal: Whether the residual is the last frame of a window; otherwise it is the middle one.
        dropout: Probability of dropping an activation.
        scratch: Memory that is reused from step to step.

    Shape:
        - rows: (N · T, J · F), T being the receptive field.
        - Output: (N, C).
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
    """`_Network` as a function that torch can differentiate."""

    @staticmethod
    def forward(ctx: Any, network: _Network, rows: Tensor, *parameters: Tensor) -> Tensor:
        ctx.network = network
        return network.forward(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.network is None:
            raise RuntimeError(
                "expected one backward pass per step, found a second one; run the forward pass again"
            )
        network, ctx.network = ctx.network, None
        with torch.autocast("cpu", enabled=False):
            network.backward(gradient.contiguous())
        return None, None, *(g for layer in network.layers for g in layer.gradients)


class _Network:
    """One training step: the first layer, then residual blocks of two layers."""

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
        return x.clone()  # A copy, because the memory of `x` is reused after the backward pass.

    def backward(self, gradient: Tensor) -> None:
        for wide, narrow in reversed(self._pairs):
            self._scratch.give(self._sums.pop())
            inner = narrow.backward(gradient)
            outer = wide.backward(inner).view(-1, gradient.shape[1])
            self._residual(outer, wide).add_(gradient)
            self._scratch.give(inner)
            if wide is not self._pairs[-1][0]:  # The last block's gradient belongs to the caller.
                self._scratch.give(gradient)
            gradient = outer
        self.layers[0].backward(gradient, through=False)
        if self._pairs:
            self._scratch.give(gradient)

    def _residual(self, x: Tensor, wide: _Layer) -> Tensor:
        """Return, of every `width` rows, the row of the frame that the output belongs to."""
        return x.view(-1, wide.width, x.shape[1])[:, wide.width - 1 if self._causal else wide.width // 2]


class _Layer:
    """Convolution on rows (its stride equals its width), batch norm, rectifier and dropout.

    Between the passes the layer keeps x, the input rows; y, their product with the weights; and z, the output
    rows.
    """

    def __init__(
        self, convolution: nn.Conv1d, norm: nn.BatchNorm1d, dropper: Dropper, scratch: Scratch
    ) -> None:
        (self.width,) = convolution.kernel_size
        self.gradients: tuple[Tensor, ...] = ()  # Of the convolution's weight and the norm's weight and bias.
        self._weight = convolution.weight.detach()
        self._norm = norm
        self._dropper = dropper
        self._scratch = scratch

    def forward(self, rows: Tensor) -> Tensor:
        """Compute the layer: (N · width, C_in) → (N, C_out)."""
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
        self._gain = norm.weight.detach() * dropper.scale  # Dropout's scale is included in the norm's.
        bias = norm.bias.detach() * dropper.scale
        for block in _blocks(y):
            _normalise(y[block], self._gain, bias, *self._statistics, out=z[block])
            dropper.drop_(z[block].relu_())
        return z

    def backward(self, gradient: Tensor, *, through: bool = True) -> Tensor:
        """Compute ∂x from ∂z if `through`, keep the parameters' gradients, and return the memory.

        With ŷ = (y − mean) / σ and g = ∂z where z > 0, batch norm's gradient is
        ∂y = gain / σ · (g − mean(g) − ŷ · mean(g · ŷ)). The weights are multiplied by gain / σ.
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
    """Return slices of rows that fit the cache."""
    step = max(1, _BLOCK // x.shape[1])
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _normalise(
    y: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float, *, out: Tensor
) -> None:
    """Compute (y − mean) / √(variance + ε) · weight + bias. y may have fewer bits than the vectors."""
    none = mean.new_empty(0)
    torch.native_batch_norm(y, weight, bias, mean, variance, False, 0.0, epsilon, out=(out, none, none))
