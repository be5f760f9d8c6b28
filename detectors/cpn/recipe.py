"""Recipes for fine-tuning the cascaded pyramid network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt

from ...yaml_config import Fraction, StrictConfig
from ..finetuning.recipe import Recipe
from .resnet import RESNET50


def _crop_side(side: int) -> int:
    if side < 32 or side % 32:
        raise ValueError("height and width must be multiples of 32")
    return side


CropSide = Annotated[int, AfterValidator(_crop_side)]
"""Height or width of a crop, pixels."""


class AugmentationConfig(StrictConfig):
    """How crops are varied at random.

    Attributes:
        scale: Smallest and largest factor of the window around the person.
        rotation: The largest angle, degrees, either way, by which every second crop is rotated.
        mirror: Share of the crops that are mirrored.
        colour: The most by which the brightness of a channel changes, as a share.
    """

    scale: tuple[PositiveFloat, PositiveFloat] = (0.7, 1.35)
    rotation: Annotated[float, Field(ge=0, le=180)] = 45.0
    mirror: Fraction = 0.5
    colour: Fraction = 0.2


class CPNRecipe(Recipe):
    """How the cascaded pyramid network is fine-tuned.

    Attributes:
        detector: Says that the recipe is for CPN.
        size: Height and width of the crops.
        blocks: Residual blocks in each stage of the ResNet, if base weights do not decide it.
        weight_decay: Adam's weight decay.
        hardest: How many of a person's keypoints RefineNet learns from: those with the largest error.
        batch_norm_momentum: The weight of each batch in the running statistics. With 0.1 they lag behind the
            weights if there are only a few hundred iterations.
        augmentation: How crops are varied.
        flip_test: Whether measurements average with the mirrored crop.
        precision: Number type of the network. bfloat16 is several times as fast on processors that have it.
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
