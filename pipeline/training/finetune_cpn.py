"""Fine-tune CPN with the training loop that all networks share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from ...detectors.coco.annotations import Annotations, FoundBoxes
from ...detectors.coco.evaluation import find_in_boxes
from ...detectors.cpn.detector import CPNKeypoints
from ...detectors.cpn.finetuning import batch_loss, check_trainable, initial_network, optimiser
from ...detectors.cpn.network import CPN
from ...detectors.cpn.recipe import CPNRecipe
from ...detectors.cpn.training_samples import CropBatch, crop_batches
from ...detectors.cpn.weights import CPNWeights
from ...detectors.finetuning.recipe import fingerprint
from ...errors import UsageError
from ...files import file_digest
from ...lifting.training.checkpoint import Checkpoint
from ...lifting.training.distributed import process_group, rank_and_world_size
from ...lifting.training.schedule import Rates
from ...lifting.training.trainer import Intervals, StepLoss, train
from ...lifting.training.training_state import TrainingState
from ..device import choose_device
from ..progress import Progress, no_progress
from .finetune_options import FinetuneData, FinetuneOptions
from .finetune_report import FinetuneReporter, score
from .output_folder import CHECKPOINT

BEST = "best.safetensors"
"""The file of the weights with the highest AP."""


def finetune_cpn(recipe: CPNRecipe, data: FinetuneData, options: FinetuneOptions, progress: Progress) -> Path:
    """Fine-tune and return the path of the best weights, by AP.

    Raises:
        UsageError: Several GPUs are wanted, for which `torchrun` is needed.
    """
    if options.gpus > 1:
        raise UsageError(
            f"for several GPUs start CPN with: torchrun --nproc-per-node {options.gpus} -m videopose …"
        )
    best = options.output / BEST
    about = {
        "recipe": recipe.model_dump(mode="json"),
        "base": None if options.base is None else {options.base.name: file_digest(options.base)},
        "annotations": {options.annotations.name: file_digest(options.annotations)},
        "measured_on": data.measured_on,
    }
    with process_group(choose_device(options.device)) as device:
        first = rank_and_world_size()[0] == 0
        state = TrainingState(recipe.iterations, recipe.report_every)

        def measure(model: CPN, iteration: int) -> float:
            weights = CPNWeights(model, data.train.keypoints)
            estimator = CPNKeypoints(
                weights, flip=recipe.flip_test, precision=recipe.precision, device=device
            )
            boxes = FoundBoxes.true(data.validation)
            found = list(find_in_boxes(estimator.estimate, data.validation, data.validation_images, boxes))
            scores = score(data, found, iteration)
            if scores.ap > _best_ap(state) or not best.exists():
                told = {"iteration": iteration, "scores": asdict(scores)}
                CPNWeights(model, data.train.keypoints, about | told).save(best)
            return scores.ap

        model = initial_network(recipe, data.train.keypoints, options.base)
        with (progress if first else no_progress)("fine-tuning CPN", recipe.iterations) as advance:
            train_cpn(
                recipe,
                model,
                data.train,
                data.images,
                state,
                folder=options.output,
                resume=options.resume,
                device=device,
                report=FinetuneReporter(options.output, data, "in the true boxes", advance)
                if first
                else lambda state: None,
                measure=measure,
            )
    return best


def _best_ap(state: TrainingState) -> float:
    """The highest AP so far; −∞ before the first measurement."""
    aps = (values["ap"] for _, values in state.history)
    return max((ap for ap in aps if not math.isnan(ap)), default=-math.inf)


def train_cpn(
    recipe: CPNRecipe,
    model: CPN,
    annotations: Annotations,
    images: Path,
    state: TrainingState,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[TrainingState], None] = lambda state: None,
    measure: Callable[[CPN, int], float] | None = None,
) -> CPN:
    """Train a network and return it in evaluation mode.

    Args:
        recipe: Schedule, seed, precision and other settings.
        model: As `initial_network` returns it.
        annotations: The annotated people.
        images: Folder of the images.
        state: At step 0; kept up to date.
        folder: Where `checkpoint.pt` is kept.
        resume: Whether to continue from the checkpoint. The result is that of an uninterrupted run.
        device: "cpu", "cuda", …
        report: Called after every iteration, in every process.
        measure: Network in evaluation mode and iteration → AP. Called in the first process.

    Raises:
        InputError: There is no fitting checkpoint, or an image cannot be read.
        UsageError: There is nothing to train on, the processes cannot share the batch, or the loss becomes
            infinite or not a number.
    """
    rank, world_size = rank_and_world_size()
    check_trainable(recipe, annotations, world_size)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def compute_loss(network: nn.Module, batch: CropBatch) -> StepLoss:
        loss = batch_loss(recipe, network, batch.to(device), model.map_size)
        return StepLoss(loss, loss)

    train(
        model,
        compute_loss,
        lambda start: crop_batches(
            recipe, annotations, images, start=start, rank=rank, world_size=world_size
        ),
        optimiser(recipe, model),
        lambda iteration: Rates(recipe.learning_rate(iteration), recipe.batch_norm_momentum),
        state,
        checkpoint=Checkpoint(
            folder / CHECKPOINT, fingerprint(recipe, annotations), "recipe or other annotations"
        ),
        intervals=Intervals(recipe.checkpoint_every, recipe.evaluate_every),
        resume=resume,
        device=device,
        precision=recipe.precision,
        report=report,
        measure=(lambda network, iteration: {"ap": measure(network, iteration)}) if measure else None,
    )
    return model
