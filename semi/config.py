"""Configurations of semi-supervised training, and their recipes."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, create_model, model_validator

from ..errors import UsageError
from ..lifting.training.config import RecordedConfig, SyntheticConfig
from ..yaml_config import Fraction, StrictConfig, checked, merged, overridden, read_with_base
from .losses import LABELED_LOSSES, UNLABELED_LOSSES

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_FIELDS: dict[str, Any] = {
    **{name: (Weight, loss.weight) for name, loss in LABELED_LOSSES.items()},
    **{name: (Weight, loss.weight) for name, loss in UNLABELED_LOSSES.items()},
}
LossWeights: Any = create_model("LossWeights", __base__=StrictConfig, **_FIELDS)
"""A field for the weight of every registered loss; a weight of 0 switches the loss off."""


class SemiConfig(LossWeights):  # type: ignore[misc]
    """The settings of the losses of §4.

    In addition to the attributes below, there is a field for the weight of each loss in
    `losses.LABELED_LOSSES` and `losses.UNLABELED_LOSSES`.

    Attributes:
        warmup: Epochs on labeled data alone. If the training has no epochs, the number of steps.
        joints: The joints that are compared with keypoints: "all" if the keypoints are Human3.6M's own
            joints, or "limbs" (and the hip) if they are converted from COCO's, which define spine, neck and
            head differently.
        pose_rate: The pose network's learning rate divided by the trajectory network's. The latter may be
            untrained, if the lifter has no trajectory network.
        distortion: Whether projection includes the distortion of the lens. If not, a pinhole is used.
        subjects: People of the labeled dataset whose keypoints are used as unlabeled footage.
        held_out: Share of every track of a user's videos that is held out for measuring.
    """

    warmup: NonNegativeInt = 1
    joints: Literal["limbs", "all"] = "limbs"
    pose_rate: Fraction = 1.0
    distortion: bool = True
    subjects: tuple[str, ...] = ()
    held_out: Fraction = 0.2

    @property
    def uses_unlabeled(self) -> bool:
        """Whether the weight of any loss of unlabeled samples is positive."""
        return any(self.weight(name) > 0 for name in UNLABELED_LOSSES)

    def weight(self, loss: str) -> float:
        """Return the weight of a registered loss."""
        return float(getattr(self, loss))


class SemiRecordedLosses(SemiConfig):
    """The settings of the losses for people of a dataset.

    Attributes:
        view_consistency: Weight of the difference between predicted poses of the footage, turned about the
            vertical, and what the lifter makes of their projection; see `second_view`. It takes a lifter of
            single frames, and is not in the paper.
        view_noise: Standard deviation of the errors of a detector in these projections: in normalised screen
            coordinates, or for lifters that read rays, as rays. It should be about that of the footage's
            keypoints, and 0 if they are exact.
        full_weight_frames: Up to so many labeled frames the losses of unlabeled samples have their whole
            weights. With n times as many, they have 1/n of them. None for the whole weights with any number.
    """

    view_consistency: Weight = 0.0
    view_noise: Weight = 0.02
    full_weight_frames: PositiveInt | None = None

    @property
    def uses_unlabeled(self) -> bool:
        """Whether the weight of any loss of unlabeled samples is positive."""
        return super().uses_unlabeled or self.view_consistency > 0

    def share_of_weight(self, frames: int) -> float:
        """Return the factor of the weights of unlabeled samples for so many labeled frames."""
        return 1.0 if self.full_weight_frames is None else min(1.0, self.full_weight_frames / frames)

    def for_labeled_frames(self, frames: int) -> Self:
        """Return the settings for so many labeled frames, with the weights that are used for them."""
        share = self.share_of_weight(frames)
        weights = {name: self.weight(name) * share for name in (*UNLABELED_LOSSES, "view_consistency")}
        return self.model_copy(update={**weights, "full_weight_frames": None})


class SemiRecordedConfig(RecordedConfig):
    """Labeled and unlabeled people of one dataset, as in the paper's experiments."""

    semi: SemiRecordedLosses = SemiRecordedLosses()

    @model_validator(mode="after")
    def _single_frames_have_second_views(self) -> Self:
        frames = math.prod(self.model.filter_widths)
        if self.semi.view_consistency > 0 and frames > 1:
            raise ValueError(
                f"semi.view_consistency takes a lifter of single frames, and this one reads {frames}: set "
                "model.filter_widths=[1,1,1] or semi.view_consistency=0"
            )
        return self

    def for_labeled_frames(self, frames: int) -> Self:
        """Return the configuration for so many labeled frames; see `SemiRecordedLosses`."""
        return self.model_copy(update={"semi": self.semi.for_labeled_frames(frames)})


class SemiVideosConfig(SyntheticConfig):
    """Training on a user's own videos, and on labeled motion projected through random cameras.

    After `semi.warmup` steps, there is at least one step with footage.

    Attributes:
        semi: The losses.
        material: Hashes of the other inputs that the result depends on: lifter, detections, labeled motion.
    """

    semi: SemiConfig = SemiConfig()
    material: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _footage_has_its_turn(self) -> Self:
        if self.semi.warmup >= self.schedule.steps:
            raise ValueError(
                f"schedule.steps={self.schedule.steps} leaves no step for the footage after semi.warmup="
                f"{self.semi.warmup}"
            )
        return self


AnySemiConfig = SemiRecordedConfig | SemiVideosConfig


def load_recorded_recipe(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None
) -> SemiRecordedConfig:
    """Read a YAML recipe for people of a dataset.

    The key `base` of a file names another file in the same folder. Values that a file does not give are taken
    from its base.

    Args:
        path: The file.
        overrides: Values that replace those of the file, by dotted name.

    Raises:
        InputError: A file cannot be read.
        UsageError: The recipe is for a user's videos, or a value is wrong; the message names its key.
    """
    path = Path(path)
    values = overridden({"name": path.stem} | read_with_base(path), overrides or {})
    if "recordings" not in values:
        raise UsageError(f"{path}: this recipe learns from your own videos; see --unlabeled")
    return checked(path, SemiRecordedConfig.model_validate, values)


def load_videos_recipe(
    path: str | os.PathLike[str], overrides: dict[str, Any] | None = None, *, defaults: dict[str, Any]
) -> SemiVideosConfig:
    """Read a YAML recipe for a user's videos, as `load_recorded_recipe` does.

    Args:
        path: The file.
        overrides: Values that replace those of the file, by dotted name.
        defaults: Values that are used for keys that the file does not give.
    """
    path = Path(path)
    values = {"name": path.stem} | merged(defaults, read_with_base(path))
    values = overridden(values, overrides or {})
    if "recordings" in values:
        raise UsageError(f"{path}: this recipe learns from a dataset and takes no --unlabeled")
    if isinstance(semi := values.get("semi"), dict) and "view_consistency" in semi:
        raise UsageError(
            "semi.view_consistency is for people of a dataset; videos have distillation in its place, so "
            "leave it out"
        )
    return checked(path, SemiVideosConfig.model_validate, values)
