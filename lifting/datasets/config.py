"""Which recordings to train on, and how they are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ...yaml_config import _Strict


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
