"""Fine-tuning Mask R-CNN, on one device or, by detectron2's launcher or by `torchrun`, on several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn

from ...detectors.mask_rcnn.recipe import MaskRCNNRecipe
from ...detectors.mask_rcnn.require_detectron2 import require_detectron2
from ...errors import UsageError
from ...lifting.training.distributed import process_group
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
        UsageError: There are fewer GPUs than are wanted, detectron2 is missing, or the processes cannot share
            the batch.
    """
    device = choose_device(options.device)
    by_torchrun = distributed.is_torchelastic_launched()
    if by_torchrun and options.gpus > 1:
        raise UsageError(f"give either --gpus {options.gpus} or torchrun, not both")
    if options.gpus > max(1, torch.cuda.device_count()):
        raise UsageError(f"--gpus {options.gpus}: there are {torch.cuda.device_count()} here")
    require_detectron2()
    processes = int(os.environ["WORLD_SIZE"]) if by_torchrun else options.gpus
    if recipe.batch % processes:
        raise UsageError(
            f"a batch of {recipe.batch} cannot be shared out to {processes} processes evenly; --set batch=N"
        )
    if by_torchrun:
        with process_group(device) as device, _processes_of_this_machine():
            _finetune(recipe, data, options, device, progress)
    else:
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


@contextmanager
def _processes_of_this_machine() -> Iterator[None]:
    """Tell detectron2 which processes are on this machine, as its own launcher does."""
    from detectron2.utils import comm

    here = int(os.environ["LOCAL_WORLD_SIZE"])
    for first in range(0, distributed.get_world_size(), here):  # every process has to make every group
        group = distributed.new_group(list(range(first, first + here)))
        if first <= distributed.get_rank() < first + here:
            comm._LOCAL_PROCESS_GROUP = group
    try:
        yield
    finally:
        comm._LOCAL_PROCESS_GROUP = None


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
