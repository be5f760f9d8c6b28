"""The shape of a temporal model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from ...yaml_config import StrictConfig


class ModelConfig(StrictConfig):
    """The temporal model's shape (see `TemporalModel`)."""

    filter_widths: tuple[PositiveInt, ...] = (3, 3, 3)
    channels: PositiveInt = 1024
    causal: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    dense: bool = False

    @field_validator("filter_widths")
    @classmethod
    def _odd(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not widths or any(w % 2 == 0 for w in widths):
            raise ValueError("filter widths must be odd")
        return widths
