"""Which recordings to train on, and how they are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ...yaml_config import StrictConfig


class RecordingsConfig(StrictConfig):
    """Which recordings to train on, and how they are read.

    Attributes:
        data_set: The name of a dataset, one of `recorded_data.DATASETS`.
        keypoints: The detector, as in the file `data_2d_<dataset>_<keypoints>.npz`.
        train_subjects: The people to train on; by default those that the field trains on.
        test_subjects: The people to measure on; by default those that the field measures on. If it is empty,
            no one is measured.
        activities: Only these, such as "Walking"; by default all.
        downsample: 5 keeps every fifth frame.
        subset: The share of each training recording that is kept, as one unbroken span.
        padding: What is read beyond a clip's ends: its first and last frame, or zeros.
        flip: Whether every epoch reads each frame mirrored, too.
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
