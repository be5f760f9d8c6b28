"""The shape of a temporal model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from ...yaml_config import StrictConfig


class ModelConfig(StrictConfig):
    """Shape of a temporal model.

    Attributes:
        filter_widths: Widths of the convolutions, odd numbers; the receptive field is their product.
        channels: Width of the hidden layers.
        causal: Whether the model reads past frames only.
        dropout: Probability of dropping an activation in training.
        dense: Whether the convolutions have no dilation (the ablation in the paper's table 5).
    """

    filter_widths: tuple[PositiveInt, ...] = (3, 3, 3)
    channels: PositiveInt = 1024
    causal: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    dense: bool = False

    @field_validator("filter_widths")
    @classmethod
    def _odd(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not widths or any(w % 2 == 0 for w in widths):
            raise ValueError(f"expected odd filter widths, found {list(widths)}")
        return widths
