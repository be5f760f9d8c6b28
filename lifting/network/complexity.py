"""What a temporal model costs, counted as the paper's Table 5 counts.

FLOPs are those of predicting one frame of a long video. Only matrix products count, two operations a weight
(multiply, add): a dilated model that lifts a whole sequence runs every layer once for each frame, so one
frame costs twice the convolutions' weights. Padding, biases, batch norm, rectifiers and residual sums are
left out, as they are in the paper. Parameters are everything that training learns: convolutions, the last
one's bias, and the scales and shifts of batch norm.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from .temporal_model import TemporalModel


@dataclass(frozen=True)
class Complexity:
    """Learned numbers, and floating-point operations an output frame (one pass, no flip augmentation)."""

    parameters: int
    flops_per_frame: int


def complexity(model: TemporalModel) -> Complexity:
    """Count a model of any width, depth and kind."""
    weights = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv1d))
    return Complexity(sum(p.numel() for p in model.parameters()), 2 * weights)


def seconds_seen(model: TemporalModel, rate: float | None) -> float | None:
    """How long a stretch of video one output frame looks at, at `rate` frames a second; None for no rate."""
    return None if rate is None else model.receptive_field / rate
