"""The configuration of recordings: which ones are read, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ...yaml_config import StrictConfig


class RecordingsConfig(StrictConfig):
    """Which recordings to train on, and how they are read.

    Attributes:
        data_set: The name of a dataset, one of `recorded_data.DATASETS`.
        keypoints: The detector, as in the file `data_2d_<dataset>_<keypoints>.npz`.
        train_subjects: The people to train on; by default the dataset's usual training subjects.
        test_subjects: The people to measure on; by default the dataset's usual test subjects. If it is empty,
            errors are not measured.
        activities: Only these, such as "Walking"; by default all.
        downsample: Only every `downsample`-th frame is kept.
        subset: The share of each training recording that is kept, as one unbroken span.
        padding: The input beyond a clip's ends: copies of its first and last frame, or zeros.
        flip: Whether every epoch contains each frame mirrored, too.
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
