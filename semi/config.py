"""What a semi-supervised run is told: a run of `lifting.config`, and how to learn from unlabelled footage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from ..errors import UsageError
from ..lifting.training.config import RecordedConfig, TrainingConfig
from ..yaml_config import Fraction, checked, merged, overridden, read_with_base

Weight = Annotated[float, Field(ge=0)]


class SemiConfig(BaseModel):
    """The losses of §4, and when they begin.

    pose, trajectory, reprojection, bones, spread: the weight of each term; 0 switches it off. The last, that
    everybody's own bones keep one length, is not the paper's. warmup: epochs on labelled data alone (steps,
    where there are no epochs). joints: which are compared with keypoints: "all" where the keypoints are
    Human3.6M's own joints, "limbs" (and the hip) where they come from COCO's, which places spine, neck and
    head elsewhere. pose_rate: the pose network's learning rate, relative to the trajectory network's, which
    has to begin anew where a lifter has none. distortion: project through the lens as it is; else as a
    pinhole. subjects: of the labelled data set, whose keypoints stand for unlabelled footage. held_out: the
    share of every track of a user's footage that is kept for measuring.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pose: Weight = 1.0
    trajectory: Weight = 1.0
    reprojection: Weight = 1.0
    bones: Weight = 1.0
    spread: Weight = 0.0
    warmup: NonNegativeInt = 1
    joints: Literal["limbs", "all"] = "limbs"
    pose_rate: Fraction = 1.0
    distortion: bool = True
    subjects: tuple[str, ...] = ()
    held_out: Fraction = 0.2

    @property
    def unlabelled(self) -> bool:
        """Whether unlabelled footage has any say."""
        return max(self.reprojection, self.bones, self.spread) > 0


class SemiRecordedConfig(RecordedConfig):
    """Labelled and unlabelled people of one data set, in the paper's manner."""

    semi: SemiConfig = SemiConfig()


class SemiMotionConfig(TrainingConfig):
    """Labelled motion through virtual cameras, and a user's own footage.

    footage: what else the result depends on, the starting lifter's and the detections' sha256.
    """

    semi: SemiConfig = SemiConfig()
    footage: tuple[str, ...] = ()


AnySemiConfig = SemiRecordedConfig | SemiMotionConfig


def load_studio_recipe(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None
) -> SemiRecordedConfig:
    """Read a YAML recipe for people of a data set.

    `base` names a file beside it whose values hold where this one gives no other, and which may have a base
    too. `overrides` replaces values by dotted name. Raises `InputError` for an unreadable file and
    `UsageError`, naming the key, for a wrong value or a recipe for footage.
    """
    path = Path(path)
    values = overridden({"name": path.stem} | read_with_base(path), overrides or {})
    if "recordings" not in values:
        raise UsageError(f"{path}: this recipe learns from your own videos; see --unlabeled")
    return checked(path, SemiRecordedConfig.model_validate, values)


def load_footage_recipe(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None, *, below: dict[str, Any]
) -> SemiMotionConfig:
    """Read a YAML recipe for a user's footage, as `load_studio_recipe` does; `below` holds where it gives no
    value."""
    path = Path(path)
    values = {"name": path.stem} | merged(below, read_with_base(path))
    values = overridden(values, overrides or {})
    if "recordings" in values:
        raise UsageError(f"{path}: this recipe learns from a data set and takes no --unlabeled")
    return checked(path, SemiMotionConfig.model_validate, values)
