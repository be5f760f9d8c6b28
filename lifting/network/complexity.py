"""Parameters and floating-point operations of a temporal model, counted as in the paper's table 5.

The operations are those of predicting one frame of a long video. Only matrix products count, with two
operations per weight (multiply and add). A dilated model that lifts a whole sequence computes each layer once
per frame, so the operations per frame are twice the number of the convolutions' weights. Padding, biases,
batch norm, rectifiers and residual sums are not counted, as in the paper. The parameters are all numbers that
training learns: the convolutions, the bias of the last one, and the scales and shifts of batch norm.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from .temporal_model import TemporalModel


@dataclass(frozen=True)
class Complexity:
    """Cost of a model.

    Attributes:
        parameters: Number of learned values.
        flops_per_frame: Floating-point operations per output frame, in one pass without flip augmentation.
    """

    parameters: int
    flops_per_frame: int


def complexity(model: TemporalModel) -> Complexity:
    """Count the parameters and operations of a model."""
    weights = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv1d))
    return Complexity(sum(p.numel() for p in model.parameters()), 2 * weights)


def receptive_seconds(model: TemporalModel, rate: float | None) -> float | None:
    """Return the length of the receptive field in seconds.

    Args:
        model: The model.
        rate: Frames per second; None if unknown, which gives None.
    """
    return None if rate is None else model.receptive_field / rate
