"""What a training run is told, checked on load: unknown keys, wrong types and wrong ranges are errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)

from ..errors import InputError, UsageError

Fraction = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(ge=0)]


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] <= ends[1]:
        raise ValueError("a range runs from its lower to its higher end")
    return ends


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_rising)]
PositiveRange = Annotated[
    tuple[Annotated[FiniteFloat, Field(gt=0)], Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(_rising)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(_Strict):
    """The temporal model's shape (see `TemporalModel`)."""

    filter_widths: tuple[PositiveInt, ...] = (3, 3, 3)
    channels: PositiveInt = 1024
    causal: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25

    @field_validator("filter_widths")
    @classmethod
    def _odd(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not widths or any(w % 2 == 0 for w in widths):
            raise ValueError("filter widths must be odd")
        return widths


class MotionFile(_Strict):
    """One motion-capture table and how much of it to draw.

    weight: relative chance of a frame of it. exclude: clips left out of training, by subject, or by
    `subject/action`. held_out: subjects kept for measuring.
    """

    path: str
    weight: Annotated[float, Field(ge=0)] = 1.0
    held_out: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class BodyConfig(_Strict):
    """How bodies vary: log-normal spreads, and a uniform factor for the hips."""

    stature: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    stature_mean: PositiveFloat = 1.02
    bone: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    hip_width: PositiveRange = (1.0, 1.6)


class CameraConfig(_Strict):
    """Where the virtual cameras stand. Lengths in metres, angles in degrees."""

    distance: PositiveRange = (1.8, 9.0)
    height: Range = (0.2, 2.6)
    high: Fraction = 0.1
    high_height: Range = (2.6, 5.0)
    off_axis: tuple[float, float] = (11.0, 6.0)
    roll: float = 2.5
    focal_error: Annotated[float, Field(ge=0, lt=0.5)] = 0.07


class DetectionConfig(_Strict):
    """What a detector does to the projected points. Lengths are metres at the person's distance."""

    jitter: PositiveRange = (0.003, 0.02)
    drift: PositiveRange = (0.005, 0.04)
    bias: Metres = 0.018
    hidden: Annotated[float, Field(ge=0)] = 1.2
    outliers: Fraction = 0.006
    outlier_size: Metres = 0.15
    episodes: Fraction = 0.35


class ScheduleConfig(_Strict):
    """The published optimisation (§5): Amsgrad, decaying rate, decaying batch-norm momentum."""

    steps: PositiveInt = 20_000
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 2e-5
    momentum: PositiveFloat = 0.1
    final_momentum: PositiveFloat = 0.001
    checkpoint_every: PositiveInt = 1000
    measure_every: PositiveInt = 2000


class TrainingConfig(_Strict):
    """One training run of a lifter on motion capture seen through virtual cameras.

    rate: frames a second that the lifter reads. speed: every sample is played at a random speed in this
    range, which both varies the motion and makes the lifter indifferent to small differences of rate.
    """

    name: str
    motions: tuple[MotionFile, ...] = Field(min_length=1)
    input_space: Literal["centred", "rays"] = "centred"
    seed: int = 0
    rate: PositiveFloat = 30.0
    speed: PositiveRange = (0.75, 1.35)
    mirror: Fraction = 0.5
    tumble: Fraction = 0.03
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    model: ModelConfig = ModelConfig()
    bodies: BodyConfig = BodyConfig()
    cameras: CameraConfig = CameraConfig()
    detections: DetectionConfig = DetectionConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    licence: str = ""
    acknowledgement: str = ""


def load_config(path: str | os.PathLike[str], overrides: dict[str, Any] | None = None) -> TrainingConfig:
    """Read a YAML configuration. `overrides` replaces values by dotted name (`schedule.steps`).

    Relative motion paths are left as they are; the caller says where data lies.
    Raises `InputError` for an unreadable file and `UsageError`, naming the key, for a wrong value.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not a YAML file ({' '.join(str(error).split())})") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected names and values")
    for dotted, value in (overrides or {}).items():
        *parents, last = dotted.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise UsageError(f"{dotted}: {parent} is not a group of values")
        place[last] = value
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {where}: {reason[0].lower()}{reason[1:]}") from error
