"""`videopose finetune-detector`: annotated images and a recipe in, a detector's weights out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...detectors.coco.evaluation import require_pycocotools
from ...detectors.cpn.recipe import CPNRecipe
from ...detectors.mask_rcnn.recipe import MaskRCNNRecipe
from ...detectors.recipes import load_recipe
from ...errors import OutputError
from ..paths import check_writable
from ..progress import Progress
from .finetune_cpn import finetune_cpn
from .finetune_mask_rcnn import finetune_mask_rcnn
from .finetune_options import FinetuneData, FinetuneOptions, read_data

__all__ = ["FinetuneOptions", "run"]

FINETUNERS: dict[type, Callable[[Any, FinetuneData, FinetuneOptions, Progress], Path]] = {
    CPNRecipe: finetune_cpn,
    MaskRCNNRecipe: finetune_mask_rcnn,
}
"""The kind of recipe → its function: recipe, data, options and progress → path of the best weights."""

_RESULTS = ("checkpoint.pt", "last_checkpoint", "best.safetensors", "model_best.pth")


def run(options: FinetuneOptions, *, progress: Progress) -> Path:
    """Fine-tune a detector and return the path of the best weights, by AP.

    Raises:
        OutputError: There are weights already, and they may not be replaced.
        VideoposeError: The recipe, the annotations, an image or the base weights cannot be read.
    """
    recipe = load_recipe(options.recipe, options.detector, options.overrides)
    if options.iterations is not None:
        recipe = recipe.shortened(options.iterations)
    require_pycocotools()  # AP is measured during the training
    data = read_data(options)
    check_writable(options.output)
    existing = [path for name in _RESULTS if (path := options.output / name).exists()]
    if existing and not options.overwrite and not options.resume:
        raise OutputError(
            f"{existing[0]} exists; --resume goes on from a checkpoint, --overwrite begins anew"
        )
    if not options.resume:
        for path in existing:
            path.unlink(missing_ok=True)  # otherwise a later --resume would continue the old run
    return FINETUNERS[type(recipe)](recipe, data, options, progress)
