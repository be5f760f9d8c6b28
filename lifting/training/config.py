"""Configurations of lifter training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat

from ...errors import UsageError
from ...yaml_config import Fraction, PositiveRange, Seed, StrictConfig, checked, overridden, read_with_base
from ..datasets.config import RecordingsConfig
from ..network.config import ModelConfig
from ..simulation.config import (
    BodyConfig,
    CameraConfig,
    DetectionConfig,
    PictureConfig,
    RarePosturesConfig,
    RecombinationConfig,
)
from .schedule import EpochScheduleConfig, ScheduleConfig


class MotionFile(StrictConfig):
    """One motion-capture table, and how much of it to sample.

    Attributes:
        path: The file, relative to the data folder.
        weight: Relative chance of sampling one of its frames.
        held_out: Subjects that are kept for measuring.
        exclude: Clips that are left out of training: a subject, or `subject/action`.
    """

    path: str
    weight: Annotated[float, Field(ge=0)] = 1.0
    held_out: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class LifterConfig(StrictConfig):
    """What every training of a lifter is told.

    Attributes:
        name: Name of the run.
        seed: Decides the first weights, the order of the data and everything else that is random.
        precision: Number type of the forward pass.
        model: The model's shape.
        licence: What may be done with the lifter, in words.
        acknowledgement: Whom users of the lifter have to name.
    """

    name: str
    seed: Seed = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    model: ModelConfig = ModelConfig()
    licence: str = ""
    acknowledgement: str = ""


class SyntheticConfig(LifterConfig):
    """Training on motion capture that is seen through random cameras.

    Attributes:
        input_space: What the lifter reads.
        rate: Frames a second that the lifter reads.
        speed: Every sample is played at a random speed of this range. It varies the motion, and the lifter
            comes to accept frame rates that differ a little.
        mirror: Share of the samples that are mirrored.
        tumble: Share of the samples in which the person is tipped over.
        bodies: How bodies vary.
        cameras: Where cameras stand.
        detections: How a simulated detector errs.
        recombination: How motion of several people is recombined.
        picture: What of a person is in the picture and found by the detector.
        averaged_flips: Whether the loss is that of the mean of a window's pose and its mirrored twin's, as
            inference averages them. The lifter then needs flip augmentation in inference.
        schedule: Learning rate and the like, counted in steps.
    """

    input_space: Literal["centred", "centred-visible", "rays"] = "centred"
    rate: PositiveFloat = 30.0
    speed: PositiveRange = (0.75, 1.35)
    mirror: Fraction = 0.5
    tumble: Fraction = 0.03
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    bodies: BodyConfig = BodyConfig()
    cameras: CameraConfig = CameraConfig()
    detections: DetectionConfig = DetectionConfig()
    recombination: RecombinationConfig = RecombinationConfig()
    picture: PictureConfig = PictureConfig()
    averaged_flips: bool = False
    schedule: ScheduleConfig = ScheduleConfig()


class TrainingConfig(SyntheticConfig):
    """`videopose train` on motion capture.

    Attributes:
        motions: The motion-capture tables.
        rare_postures: Rare postures that are made in addition to them.
        start: A pretrained lifter's name, or the file of a lifter of the same shape, whose weights training
            begins with.
    """

    motions: tuple[MotionFile, ...] = Field(min_length=1)
    rare_postures: RarePosturesConfig = RarePosturesConfig()
    start: str | None = None


class RecordedConfig(LifterConfig):
    """`videopose train` on people whom calibrated cameras recorded.

    Attributes:
        recordings: Whom to train and to measure on.
        input_space: What the lifter reads.
        start: As in `TrainingConfig`.
        schedule: Learning rate and the like, counted in epochs.
    """

    recordings: RecordingsConfig
    input_space: Literal["screen", "rays"] = "screen"
    start: str | None = None
    schedule: EpochScheduleConfig = EpochScheduleConfig()


AnyLifterConfig = SyntheticConfig | RecordedConfig

KINDS: dict[str, type[Any]] = {
    "motions": TrainingConfig,
    "recordings": RecordedConfig,
}
"""The key that tells what a configuration trains on → its class."""


def load_config(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None
) -> TrainingConfig | RecordedConfig:
    """Read the YAML configuration of a training run.

    A file's `base` is the name of another file beside it, whose values hold where the file gives none. The
    run is named after the file unless it gives a `name`.

    Args:
        path: The file.
        overrides: Values that replace those of the file, by dotted name such as `schedule.steps`.

    Raises:
        InputError: A file cannot be read.
        UsageError: A value is wrong; the message names its key.
    """
    path = Path(path)
    values = overridden({"name": path.stem} | read_with_base(path), overrides or {})
    kinds = [KINDS[key] for key in KINDS if key in values]
    if len(kinds) != 1:
        raise UsageError(
            f"{path}: give either motions (motion capture through virtual cameras) or recordings (a dataset "
            "of calibrated cameras)"
        )
    config: TrainingConfig | RecordedConfig = checked(path, kinds[0].model_validate, values)
    return config
