"""What a training run is told, checked on load: unknown keys, wrong types and wrong ranges are errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from ...errors import UsageError
from ...yaml_config import (
    Fraction,
    PositiveRange,
    _Strict,
    checked,
    overridden,
    read_with_base,
)
from ..datasets.config import RecordingsConfig
from ..network.config import ModelConfig
from ..simulation.config import (
    BodyConfig,
    CameraConfig,
    DetectionConfig,
    PictureConfig,
    RecombinationConfig,
    ScarceConfig,
)


class MotionFile(_Strict):
    """One motion-capture table and how much of it to draw.

    weight: relative chance of a frame of it. exclude: clips left out of training, by subject, or by
    `subject/action`. held_out: subjects kept for measuring.
    """

    path: str
    weight: Annotated[float, Field(ge=0)] = 1.0
    held_out: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class ScheduleConfig(_Strict):
    """The published optimisation (§5) where there are no epochs: Amsgrad, decaying rate, decaying batch-norm
    momentum. Everything is counted in steps."""

    steps: PositiveInt = 20_000
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 2e-5
    momentum: PositiveFloat = 0.1
    final_momentum: PositiveFloat = 0.001
    checkpoint_every: PositiveInt = 1000
    measure_every: PositiveInt = 2000

    def at(self, step: int, steps: int) -> tuple[float, float]:
        """Learning rate and batch-norm momentum of a step: both fall exponentially from step to step."""
        done = step / steps
        return (
            _decay(self.learning_rate, self.final_learning_rate, done),
            _decay(self.momentum, self.final_momentum, done),
        )


class EpochScheduleConfig(_Strict):
    """The published optimisation (§5) in epochs: the learning rate is multiplied by `decay` after each of
    them, and batch-norm momentum falls exponentially to just above `final_momentum` in the last.

    batch: frames that are predicted in a step. chunk: neighbouring ones among them that make one sample, so a
    step has batch / chunk samples; 1 is the paper's choice, which makes the batch the least correlated.
    checkpoint_every: steps. measure_every: epochs.
    """

    epochs: PositiveInt = 80
    batch: PositiveInt = 1024
    chunk: PositiveInt = 1
    learning_rate: PositiveFloat = 1e-3
    decay: Annotated[float, Field(gt=0, le=1)] = 0.95
    momentum: PositiveFloat = 0.1
    final_momentum: PositiveFloat = 0.001
    checkpoint_every: PositiveInt = 1000
    measure_every: PositiveInt = 1

    @model_validator(mode="after")
    def _several_samples(self) -> Self:
        if self.batch < 2 * self.chunk:
            raise ValueError("a batch needs two samples at least, for batch normalisation")
        return self

    def at(self, step: int, steps: int) -> tuple[float, float]:
        """Learning rate and batch-norm momentum of a step: both change from epoch to epoch."""
        epoch = step * self.epochs // steps
        return (
            self.learning_rate * self.decay**epoch,
            _decay(self.momentum, self.final_momentum, epoch / self.epochs),
        )


def _decay(start: float, end: float, done: float) -> float:
    return float(start * (end / start) ** done)


class TrainingConfig(_Strict):
    """One training run of a lifter on motion capture seen through virtual cameras.

    start: a shipped lifter's name, or the file of one of the same shape, whose weights training begins with.
    rate: frames a second that the lifter reads. speed: every sample is played at a random speed in this
    range, which both varies the motion and makes the lifter indifferent to small differences of rate.
    """

    name: str
    motions: tuple[MotionFile, ...] = Field(min_length=1)
    input_space: Literal["centred", "centred-visible", "rays"] = "centred"
    start: str | None = None
    seed: int = 0
    rate: PositiveFloat = 30.0
    speed: PositiveRange = (0.75, 1.35)
    scarce: ScarceConfig = ScarceConfig()
    mirror: Fraction = 0.5
    tumble: Fraction = 0.03
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    model: ModelConfig = ModelConfig()
    bodies: BodyConfig = BodyConfig()
    cameras: CameraConfig = CameraConfig()
    detections: DetectionConfig = DetectionConfig()
    recombination: RecombinationConfig = RecombinationConfig()
    picture: PictureConfig = PictureConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    licence: str = ""
    acknowledgement: str = ""


class RecordedConfig(_Strict):
    """One training run of a lifter on people whom calibrated cameras recorded (see `capture.RecordingSet`).

    start: see `TrainingConfig`.
    """

    name: str
    recordings: RecordingsConfig
    input_space: Literal["screen", "rays"] = "screen"
    start: str | None = None
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    model: ModelConfig = ModelConfig()
    schedule: EpochScheduleConfig = EpochScheduleConfig()
    licence: str = ""
    acknowledgement: str = ""


def load_config(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None
) -> TrainingConfig | RecordedConfig:
    """Read a YAML configuration: with `motions`, of a run on motion capture, with `recordings` on recordings.

    `base` names a file beside it whose values hold where this one gives no other; `name` is the file's own
    unless given. `overrides` replaces values by dotted name (`schedule.steps`). Relative motion paths are
    left as they are; the caller says where data lies.
    Raises `InputError` for an unreadable file and `UsageError`, naming the key, for a wrong value.
    """
    path = Path(path)
    values = overridden({"name": path.stem} | read_with_base(path), overrides or {})
    if ("motions" in values) == ("recordings" in values):
        raise UsageError(
            f"{path}: give either motions (motion capture through virtual cameras) or recordings (a data set "
            "of calibrated cameras)"
        )
    if "recordings" in values:
        return checked(path, RecordedConfig.model_validate, values)
    return checked(path, TrainingConfig.model_validate, values)
