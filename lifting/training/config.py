"""What a training run is told, checked on load: unknown keys, wrong types and wrong ranges are errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from ...errors import UsageError
from ...yaml_config import checked, overridden, read_with_base

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
    dense: bool = False

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


class ScarceConfig(_Strict):
    """Made motion (`scarce`) beside the recorded: minutes of it, 0 for none, on the bodies of the first
    motion file's training people; weight as of `MotionFile`."""

    minutes: Annotated[float, Field(ge=0)] = 0.0
    weight: Annotated[float, Field(ge=0)] = 1.0


class BodyConfig(_Strict):
    """How bodies vary: log-normal spreads, and a uniform factor for the hips."""

    stature: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    stature_mean: PositiveFloat = 1.02
    bone: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    hip_width: PositiveRange = (1.0, 1.6)


class CameraConfig(_Strict):
    """Where the virtual cameras stand. Lengths in metres, angles in degrees.

    height: above the floor that people stand on. high, low: the shares of cameras with a height of
    `high_height` or `low_height` instead: on a balcony, or below somebody on a roof, a stage or a rock.
    """

    distance: PositiveRange = (1.8, 9.0)
    height: Range = (0.2, 2.6)
    high: Fraction = 0.1
    high_height: Range = (2.6, 5.0)
    low: Fraction = 0.0
    low_height: Range = (-3.0, 0.2)
    off_axis: tuple[float, float] = (11.0, 6.0)
    roll: float = 2.5
    focal_error: Annotated[float, Field(ge=0, lt=0.5)] = 0.07

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.high + self.low > 1:
            raise ValueError("high and low are shares of all cameras: together one at most")
        return self


class DetectionConfig(_Strict):
    """What a detector does to the projected points. Lengths are metres at the person's distance.

    severity: every window multiplies all spreads and chances by a factor of this range, log-uniform: some
    footage is sharp and some is not.
    """

    jitter: PositiveRange = (0.003, 0.02)
    drift: PositiveRange = (0.005, 0.04)
    bias: Metres = 0.018
    hidden: Annotated[float, Field(ge=0)] = 1.2
    outliers: Fraction = 0.006
    outlier_size: Metres = 0.15
    episodes: Fraction = 0.35
    severity: PositiveRange = (1.0, 1.0)


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


class RecordingsConfig(_Strict):
    """Which recordings to train on, and how they are read.

    data_set: a name of `recorded_data.DATA_SETS`. keypoints: the detector, as in
    data_2d_<data set>_<keypoints>.npz. train_subjects, test_subjects: those that the field uses unless given;
    nobody is tested on where the latter are empty. activities: only these, such as "Walking".
    downsample: 5 keeps every fifth frame. subset: the share of every training recording that is kept, one
    unbroken span of it. padding: what stands beyond a clip's ends, its first and last frame or zeros.
    flip: every epoch sees each frame mirrored, too.
    """

    data_set: str
    keypoints: str = "gt"
    train_subjects: tuple[str, ...] | None = Field(default=None, min_length=1)
    test_subjects: tuple[str, ...] | None = None
    activities: tuple[str, ...] | None = Field(default=None, min_length=1)
    downsample: PositiveInt = 1
    subset: Annotated[float, Field(gt=0, le=1)] = 1.0
    padding: Literal["replicate", "zero"] = "replicate"
    flip: bool = True


class TrainingConfig(_Strict):
    """One training run of a lifter on motion capture seen through virtual cameras.

    start: a shipped lifter's name, or the file of one of the same shape, whose weights training begins with.
    rate: frames a second that the lifter reads. speed: every sample is played at a random speed in this
    range, which both varies the motion and makes the lifter indifferent to small differences of rate.
    """

    name: str
    motions: tuple[MotionFile, ...] = Field(min_length=1)
    input_space: Literal["centred", "rays"] = "centred"
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
    schedule: ScheduleConfig = ScheduleConfig()
    licence: str = ""
    acknowledgement: str = ""


class RecordedConfig(_Strict):
    """One training run of a lifter on people whom calibrated cameras recorded (see `capture.CaptureSet`).

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
