"""Recipes for fine-tuning Mask R-CNN."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..finetuning.recipe import Recipe


class MaskRCNNRecipe(Recipe):
    """How Mask R-CNN is fine-tuned by detectron2's engine.

    Attributes:
        detector: Says that the recipe is for Mask R-CNN.
        backbone: R-101 or R-50.
        from_scratch: Whether to begin with random weights, if no base is given, instead of the model zoo's.
        optimiser: detectron2's SGD, or Adam, which gets further in few iterations from random weights.
        overrides: Further values of detectron2's configuration, by its names (`INPUT.MIN_SIZE_TRAIN`).
    """

    detector: Literal["mask-rcnn"]
    backbone: Literal["R-101", "R-50"] = "R-101"
    from_scratch: bool = False
    optimiser: Literal["sgd", "adam"] = "sgd"
    overrides: dict[str, Any] = Field(default_factory=dict)
