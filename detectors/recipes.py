"""The recipes for fine-tuning, by detector."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError
from ..yaml_config import checked, overridden, read_yaml
from .cpn.recipe import CPNRecipe
from .finetuning.recipe import Recipe
from .mask_rcnn.recipe import MaskRCNNRecipe

RECIPES: dict[str, type[Recipe]] = {"cpn": CPNRecipe, "mask-rcnn": MaskRCNNRecipe}
"""Detector → the class of its recipes."""

FOLDER = Path(__file__).parents[1] / "configs" / "detectors"
"""The folder of the recipes that come with videopose, `<detector>-<name>.yaml`."""


def load_recipe(
    name: str | os.PathLike[str], detector: str, overrides: Mapping[str, object] | None = None
) -> Recipe:
    """Read a recipe.

    Args:
        name: "paper", "quick", or a YAML file.
        detector: A key of `RECIPES`.
        overrides: Values that replace those of the file, by dotted name such as `augmentation.mirror`.

    Raises:
        InputError: The file cannot be read.
        UsageError: The recipe is for another detector, or a value is wrong; the message names its key.
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
    return checked(path, RECIPES[detector].model_validate, values)
