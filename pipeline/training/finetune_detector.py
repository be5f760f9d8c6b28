"""`videopose finetune-detector`: annotated images and a recipe in, a detector's weights out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...detectors.coco.evaluation import require_pycocotools
from ...detectors.cpn.recipe import CPNRecipe
from ...detectors.mask_rcnn.recipe import MaskRCNNRecipe
from ...detectors.recipes import load_recipe
from ..progress import Progress
from .finetune_cpn import finetune_cpn
from .finetune_mask_rcnn import finetune_mask_rcnn
from .finetune_options import FinetuneData, FinetuneOptions, read_data
from .output_folder import is_first_process, training_folder

__all__ = ["FinetuneOptions", "run"]

FINETUNERS: dict[type, Callable[[Any, FinetuneData, FinetuneOptions, Progress], Path]] = {
    CPNRecipe: finetune_cpn,
    MaskRCNNRecipe: finetune_mask_rcnn,
}
"""The kind of recipe → its function: recipe, data, options and progress → path of the best weights."""

_RESULTS = ("checkpoint.pt", "last_checkpoint", "best.safetensors", "model_best.pth")


def run(options: FinetuneOptions, *, progress: Progress, command: str = "") -> Path | None:
    """Fine-tune a detector and return the path of the best weights, by AP.

    Args:
        options: The user's options.
        progress: How progress is shown.
        command: The command line, which another run in the same folder shows.

    Returns:
        The path; None in all processes that `torchrun` started but the first.

    Raises:
        OutputError: There are weights already, and they may not be replaced, or another run writes them.
        VideoposeError: The recipe, the annotations, an image or the base weights cannot be read.
    """
    recipe = load_recipe(options.recipe, options.detector, options.overrides)
    if options.iterations is not None:
        recipe = recipe.shortened(options.iterations)
    require_pycocotools()  # AP is measured during the training
    data = read_data(options)
    with training_folder(
        options.output,
        _RESULTS,
        resume=options.resume,
        overwrite=options.overwrite,
        command=command,
        checkpoint=None,
    ):
        if not options.resume and is_first_process():
            for name in _RESULTS:  # otherwise a later --resume would continue the old run
                (options.output / name).unlink(missing_ok=True)
        best = FINETUNERS[type(recipe)](recipe, data, options, progress)
    return best if is_first_process() else None
