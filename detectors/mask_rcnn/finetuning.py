"""Fine-tuning Mask R-CNN on annotated images, by detectron2's engine, mapper, loader and solver.

Importing this module imports detectron2: call `require_detectron2` first. The data is given to its loader
directly, so nothing is registered in its catalogues.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper
from detectron2.data.detection_utils import build_augmentation
from detectron2.engine import SimpleTrainer
from detectron2.engine.defaults import create_ddp_model
from detectron2.solver import build_optimizer, get_default_optimizer_params
from detectron2.solver.build import maybe_add_gradient_clipping
from detectron2.utils import comm
from torch import nn

from ...errors import UsageError
from ..coco.annotations import Annotations
from ..coco.evaluation import Found
from ..coco.keypoint_names import names_in_files
from ..finetuning.recipe import fingerprint
from ..finetuning.record import TrainingRecord
from .checkpoints import BaseCheckpointer, BestCheckpointer, RunCheckpointer, first_iteration
from .model import build_network, configuration, zoo_weights
from .recipe import MaskRCNNRecipe
from .training_hooks import training_hooks
from .training_images import training_loader


def train_mask_rcnn(
    recipe: MaskRCNNRecipe,
    annotations: Annotations,
    images: Path,
    record: TrainingRecord,
    *,
    folder: Path,
    base: Path | None = None,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[], None] = lambda: None,
    measure: Callable[[nn.Module, CfgNode], float] | None = None,
) -> nn.Module:
    """Train and return the network in evaluation mode.

    Of several processes, as detectron2's launcher starts them, only the first one writes, reports and
    measures.

    Args:
        recipe: Schedule, seed and the like.
        annotations: The annotated people.
        images: Folder of the images.
        record: At step 0; kept up to date.
        folder: For detectron2's checkpoints, `last_checkpoint`, which names the latest of them, and
            `model_best.pth`.
        base: Weights of Keypoint R-CNN for any keypoints; its deconvolution, the last keypoint layer, gets
            new weights. None for the model zoo's or, if the recipe says so, random weights.
        resume: Whether to go on from the latest checkpoint, to the numbers of an uninterrupted run.
        device: "cpu", "cuda", …
        report: Called after every iteration.
        measure: Network in evaluation mode and configuration → AP. Called every `evaluate_every` iterations
            and at the end.

    Raises:
        InputError: Weights or checkpoint cannot be used, or an image cannot be read.
        UsageError: No person is annotated, or the loss becomes infinite or not a number.
    """
    config = configure(recipe, len(annotations.keypoints), device)
    torch.manual_seed(recipe.seed)
    model = build_network(config)
    if not resume:
        _load_base(model, recipe, base)
    if config.SOLVER.AMP.ENABLED:
        _train_in_bfloat16(model)
    optimiser = _optimiser(recipe, config, model)
    # A process on a CPU has no device of its own.
    cpu: dict[str, Any] = {"device_ids": None} if torch.device(device).type == "cpu" else {}
    parallel = create_ddp_model(model, broadcast_buffers=False, **cpu)
    run = fingerprint(recipe, annotations)
    start = first_iteration(folder, run) if resume else 0
    loader = training_loader(recipe, config, annotations, images, start=start)
    trainer = SimpleTrainer(parallel, loader, optimiser)
    told = {"keypoints": list(names_in_files(annotations.keypoints)), "settings": recipe.overrides}
    checkpointer = RunCheckpointer(parallel, folder, told | {"recipe": run}, trainer=trainer)
    best = BestCheckpointer(parallel, folder, told)

    def measured() -> float:
        assert measure is not None
        ap = measure(checkpointer.model.eval(), config)
        checkpointer.model.train()
        return ap

    trainer.register_hooks(
        training_hooks(recipe, optimiser, checkpointer, best, record, report, measured if measure else None)
    )
    if resume:
        checkpointer.load(checkpointer.get_checkpoint_file())
    try:
        with _without_its_warnings():
            trainer.train(start, recipe.iterations)
    except FloatingPointError as error:
        raise UsageError(
            f"training broke down at step {record.step + 1}: the loss is not finite; lower the learning rates"
        ) from error
    if comm.is_main_process():
        report()  # AP is measured once more after the last iteration
    return model.eval()


def find_people(model: nn.Module, config: CfgNode, annotations: Annotations, images: Path) -> Iterator[Found]:
    """Yield what the network finds in each annotated image, as detectron2 evaluates."""
    mapper = DatasetMapper(
        False, augmentations=build_augmentation(config, False), image_format=config.INPUT.FORMAT
    )
    with torch.inference_mode(), _without_its_warnings():
        for number, entry in annotations.images.items():
            image = {"file_name": str(images / entry.name), "height": entry.height, "width": entry.width}
            people = model([mapper(image)])[0]["instances"]
            yield Found(number, people.pred_keypoints.cpu().numpy(), people.scores.cpu().numpy())


@contextmanager
def _without_its_warnings() -> Iterator[None]:
    """Silence warnings that newer versions of PyTorch give for detectron2's code."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(detectron2|fvcore)\.")
        warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
        yield


def configure(recipe: MaskRCNNRecipe, keypoints: int, device: str = "cpu") -> CfgNode:
    """Return detectron2's configuration for a recipe.

    Raises:
        UsageError: detectron2 does not know an override.
    """
    ours = {
        "MODEL.DEVICE": device,
        "MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS": keypoints,
        "SOLVER.BASE_LR": recipe.schedule[0].learning_rate,
    }
    try:
        config = configuration(recipe.backbone, {**recipe.overrides, **ours})
    except (AssertionError, KeyError, ValueError) as error:
        raise UsageError(f"overrides: detectron2's configuration refuses this ({error})") from error
    return config


def _train_in_bfloat16(model: nn.Module) -> None:
    """Train in mixed precision on any device; detectron2's AMPTrainer is for CUDA alone.

    Evaluations stay in single precision.
    """
    exact = model.forward

    def forward(batch: list[dict[str, Any]]) -> Any:
        with torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=model.training):
            return exact(batch)

    model.forward = forward


def _optimiser(recipe: MaskRCNNRecipe, config: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
    """detectron2's optimiser, or Adam, with detectron2's gradient clipping."""
    if recipe.optimiser == "sgd":
        return build_optimizer(config, model)
    adam = maybe_add_gradient_clipping(config, torch.optim.Adam)
    return adam(get_default_optimizer_params(model), config.SOLVER.BASE_LR)


def _load_base(model: nn.Module, recipe: MaskRCNNRecipe, base: Path | None) -> None:
    if base is None and recipe.from_scratch:
        return
    path = base or zoo_weights(recipe.backbone)
    BaseCheckpointer(model, save_to_disk=False).load(str(path))
