"""Fine-tuning Mask R-CNN, on one device or, by detectron2's launcher, on several GPUs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import torch
from torch import nn

from ...detectors.mask_rcnn.recipe import MaskRCNNRecipe
from ...detectors.mask_rcnn.require_detectron2 import require_detectron2
from ...errors import UsageError
from ...lifting.training.training_state import TrainingState
from ..device import choose_device
from ..progress import Progress, no_progress
from .finetune_options import FinetuneData, FinetuneOptions
from .finetune_report import FinetuneReporter, score

_TIMEOUT = timedelta(hours=6)  # the other GPUs wait while the first one measures


def finetune_mask_rcnn(
    recipe: MaskRCNNRecipe, data: FinetuneData, options: FinetuneOptions, progress: Progress
) -> Path:
    """Fine-tune and return the path of the best weights, by AP.

    Raises:
        UsageError: There are fewer GPUs than are wanted, or detectron2 is missing.
    """
    device = choose_device(options.device)
    if options.gpus > max(1, torch.cuda.device_count()):
        raise UsageError(f"--gpus {options.gpus}: there are {torch.cuda.device_count()} here")
    require_detectron2()
    from detectron2.engine import launch

    launch(
        _finetune,
        options.gpus,
        dist_url="auto",
        args=(recipe, data, options, device, progress),
        timeout=_TIMEOUT,
    )
    from ...detectors.mask_rcnn.checkpoints import BEST

    return options.output / f"{BEST}.pth"


def _finetune(
    recipe: MaskRCNNRecipe, data: FinetuneData, options: FinetuneOptions, device: str, progress: Progress
) -> None:
    require_detectron2()  # in each of several processes
    from detectron2.config import CfgNode
    from detectron2.utils import comm

    from ...detectors.mask_rcnn.finetuning import find_people, train_mask_rcnn

    state = TrainingState(recipe.iterations, recipe.report_every)

    def measure(model: nn.Module, config: CfgNode) -> float:
        found = list(find_people(model, config, data.validation, data.validation_images))
        return score(data, found, state.step).ap

    first = comm.is_main_process()
    with (progress if first else no_progress)("fine-tuning Mask R-CNN", recipe.iterations) as advance:
        reporter = (
            FinetuneReporter(options.output, data, "people found by itself", advance) if first else None
        )
        train_mask_rcnn(
            recipe,
            data.train,
            data.images,
            state,
            folder=options.output,
            base=options.base,
            resume=options.resume,
            device=device,
            report=lambda: reporter(state) if reporter else None,
            measure=measure,
        )
