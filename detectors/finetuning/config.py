"""Recipes of fine-tuning, checked on load: unknown keys, wrong types and wrong ranges are errors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from ...errors import UsageError
from ...yaml_config import checked, overridden, read_yaml
from ..cpn.network import RESNET50

Fraction = Annotated[float, Field(ge=0, le=1)]


def _crop_side(side: int) -> int:
    if side < 32 or side % 32:
        raise ValueError("height and width must be multiples of 32")
    return side


CropSide = Annotated[int, AfterValidator(_crop_side)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StageConfig(_Strict):
    """So many iterations at one learning rate."""

    iterations: PositiveInt
    learning_rate: PositiveFloat


class _Recipe(_Strict):
    """What all recipes say.

    batch: people (CPN) or images (Mask R-CNN) an iteration, on all GPUs together. warmup: iterations in which
    the learning rate rises to the first stage's. evaluate_every, checkpoint_every, report_every: iterations.
    workers: threads (CPN) or processes (Mask R-CNN) that read images, on each GPU.
    """

    name: str
    schedule: tuple[StageConfig, ...] = Field(min_length=1)
    batch: PositiveInt
    warmup: Annotated[int, Field(ge=0)] = 0
    seed: int = 0
    evaluate_every: PositiveInt = 1000
    checkpoint_every: PositiveInt = 500
    report_every: PositiveInt = 20
    workers: Annotated[int, Field(ge=0)] = 2

    @property
    def iterations(self) -> int:
        """Of all stages."""
        return sum(stage.iterations for stage in self.schedule)

    def learning_rate(self, iteration: int) -> float:
        """At an iteration, counted from 0."""
        rise = min(1.0, (iteration + 1) / (self.warmup + 1))
        for stage in self.schedule:
            if iteration < stage.iterations:
                return stage.learning_rate * rise
            iteration -= stage.iterations
        return self.schedule[-1].learning_rate


class AugmentationConfig(_Strict):
    """How crops vary. scale: of the window around the person. rotation: degrees, either way, of every second
    crop. mirror: chance. colour: how far each channel's brightness strays."""

    scale: tuple[PositiveFloat, PositiveFloat] = (0.7, 1.35)
    rotation: Annotated[float, Field(ge=0, le=180)] = 45.0
    mirror: Fraction = 0.5
    colour: Fraction = 0.2


class CPNRecipe(_Recipe):
    """Fine-tuning the cascaded pyramid network.

    size: height and width of crops. blocks: of ResNet's stages, where no base weights decide. hardest:
    keypoints of each person that RefineNet learns from. batch_norm_momentum: each batch's part in the running
    statistics; 0.1 leaves them behind the weights where there are a few hundred iterations only. flip_test:
    whether evaluations average with the mirrored crop. precision: bfloat16 is several times as fast on
    processors that know it.
    """

    detector: Literal["cpn"]
    size: tuple[CropSide, CropSide] = (384, 288)
    blocks: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = RESNET50
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    hardest: PositiveInt = 8
    batch_norm_momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    augmentation: AugmentationConfig = AugmentationConfig()
    flip_test: bool = True
    precision: Literal["float32", "bfloat16"] = "bfloat16"


class MaskRCNNRecipe(_Recipe):
    """Fine-tuning Mask R-CNN with detectron2's engine.

    backbone: R-101 or R-50. from_scratch: begin with random numbers, where no base is given, instead of the
    model zoo's weights. optimiser: detectron2's, or Adam, with which few iterations from random numbers go
    further. overrides: further values of detectron2's configuration, by its names
    (`INPUT.MIN_SIZE_TRAIN`).
    """

    detector: Literal["mask-rcnn"]
    backbone: Literal["R-101", "R-50"] = "R-101"
    from_scratch: bool = False
    optimiser: Literal["sgd", "adam"] = "sgd"
    overrides: dict[str, Any] = {}


Recipe = CPNRecipe | MaskRCNNRecipe

FOLDER = Path(__file__).parents[2] / "configs" / "detectors"
"""Where the recipes that come with videopose lie: `<detector>-<name>.yaml`."""


def load_recipe(
    name: str | os.PathLike[str], detector: str, overrides: Mapping[str, object] | None = None
) -> Recipe:
    """Read a recipe: "paper", "quick", or a YAML file. `overrides` replaces values by dotted name (`batch`,
    `augmentation.mirror`).

    Raises `InputError` for an unreadable file and `UsageError`, naming the key, for a wrong value or a recipe
    of another detector.
    """
    path = Path(name)
    if not path.suffix:
        path = FOLDER / f"{detector}-{name}.yaml"
        if not path.is_file():
            known = sorted(file.stem.removeprefix(f"{detector}-") for file in FOLDER.glob(f"{detector}-*"))
            raise UsageError(f"{detector} has no recipe {name}; there are {', '.join(known)}, or give a file")
    values = overridden(read_yaml(path), overrides or {})
    if values.get("detector") != detector:
        raise UsageError(f"{path} is a recipe for {values.get('detector')}, not for {detector}")
    if detector == "cpn":
        return checked(path, CPNRecipe.model_validate, values)
    return checked(path, MaskRCNNRecipe.model_validate, values)
