"""Fine-tuning CPN on annotated images."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..files import replacing
from .coco_annotations import Annotations, KeypointSet
from .cpn import CPN, cpn_loss
from .cpn_crops import to_input
from .cpn_weights import is_backbone, load_backbone, load_cpn
from .finetune_config import CPNRecipe
from .finetune_samples import Batch, Share, batches, targets


@dataclass
class Progress:
    """How far a run has come.

    losses: (iteration, mean loss since the point before), every `report_every` iterations. measured:
    (iteration, AP). running: losses since the last point.
    """

    iterations: int
    iteration: int = 0
    learning_rate: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    measured: list[tuple[int, float]] = field(default_factory=list)
    running: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The highest AP so far; −∞ before the first."""
        return max((ap for _, ap in self.measured if not math.isnan(ap)), default=-math.inf)


def begin(recipe: CPNRecipe, keypoints: KeypointSet, base: Path | None) -> CPN:
    """The network that training starts from.

    base: CPN weights, of any keypoint set, whose last layers of GlobalNet and RefineNet begin anew (weights
    and batch-norm statistics); or a ResNet's; or None for random numbers, the same for the same seed.
    Raises `InputError` where it is no such file.
    """
    torch.manual_seed(recipe.seed)
    if base is None or is_backbone(base):
        model = CPN(keypoints=len(keypoints), size=recipe.size, blocks=recipe.blocks)
        if base is not None:
            load_backbone(model, base)
        return model
    trained = load_cpn(base).model
    model = CPN(keypoints=len(keypoints), size=recipe.size, blocks=trained.blocks)
    kept = {name: value for name, value in trained.state_dict().items() if ".last." not in name}
    model.load_state_dict(kept, strict=False)
    # How high heatmaps are is not to be learnt again: other keypoints' are as high.
    model.reset_predictions(
        [(p.norm.weight.mean().item(), p.norm.bias.mean().item()) for p in trained.predictions()]
    )
    return model


def train_cpn(
    recipe: CPNRecipe,
    model: CPN,
    annotations: Annotations,
    images: Path,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    share: Share | None = None,
    parallel: Callable[[nn.Module], nn.Module] = lambda model: model,
    report: Callable[[Progress], None] = lambda progress: None,
    measure: Callable[[CPN, Progress], float] | None = None,
) -> CPN:
    """Train `model` and return it in evaluation mode.

    folder: where `checkpoint.pt` is kept; with `resume` a run goes on from there, with the losses of an
    uninterrupted one. share: this process's part, where several train together; the first one alone writes,
    reports and measures. parallel: gives the module to call in training, which averages their gradients.
    report: told after every iteration. measure: gives AP, called every `evaluate_every` iterations and at
    the end, the model in evaluation mode.
    Raises `InputError` where there is no fitting checkpoint or an image cannot be read, and `UsageError`
    where nobody is annotated, the batch cannot be shared out, or the loss grows beyond all bounds.
    """
    share = share or Share()
    if not annotations.trainable():
        raise UsageError("nobody is annotated with keypoints: nothing to train on")
    if recipe.batch % share.count:
        raise UsageError(f"a batch of {recipe.batch} cannot be shared out to {share.count} processes")
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = recipe.batch_norm_momentum
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    rate, decay = recipe.schedule[0].learning_rate, recipe.weight_decay
    optimiser = torch.optim.Adam(model.parameters(), rate, weight_decay=decay, fused=True)
    progress = Progress(recipe.iterations)
    checkpoint = folder / "checkpoint.pt"
    fingerprint = _fingerprint(recipe, annotations)
    if resume:
        _restore(checkpoint, fingerprint, model, optimiser, progress)
    shared = parallel(model)

    stream = batches(recipe, annotations, images, start=progress.iteration, share=share)
    with closing(stream):  # type: ignore[type-var]
        while progress.iteration < recipe.iterations:
            model.train()
            progress.learning_rate = recipe.learning_rate(progress.iteration)
            for group in optimiser.param_groups:
                group["lr"] = progress.learning_rate
            loss = _loss(shared, model.map_size, next(stream).to(device), recipe)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            _note(progress, loss.item(), recipe)
            if share.rank:
                continue
            last = progress.iteration == recipe.iterations
            if measure and (progress.iteration % recipe.evaluate_every == 0 or last):
                progress.measured.append((progress.iteration, measure(model.eval(), progress)))
            if progress.iteration % recipe.checkpoint_every == 0 or last:
                _save(checkpoint, fingerprint, model, optimiser, progress)
            report(progress)
    return model.eval()


def _loss(model: nn.Module, map_size: tuple[int, int], batch: Batch, recipe: CPNRecipe) -> torch.Tensor:
    crops = to_input(batch.crops).contiguous(memory_format=torch.channels_last)
    with torch.autocast(crops.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        coarse, refined = model(crops)
    wanted = targets(batch.points, map_size)
    return cpn_loss(coarse, refined, wanted, batch.annotated, hardest=recipe.hardest)


def _note(progress: Progress, loss: float, recipe: CPNRecipe) -> None:
    progress.iteration += 1
    if not math.isfinite(loss):
        raise UsageError(f"training broke down at iteration {progress.iteration}: lower the learning rates")
    progress.running.append(loss)
    if progress.iteration % recipe.report_every == 0:
        progress.losses.append((progress.iteration, sum(progress.running) / len(progress.running)))
        progress.running.clear()


def _fingerprint(recipe: CPNRecipe, annotations: Annotations) -> str:
    """Changes with anything that would make a resumed run differ."""
    free = {"evaluate_every", "checkpoint_every", "workers", "flip_test"}
    values = recipe.model_dump(mode="json", exclude=free)
    data = [list(annotations.keypoints.names), [person.id for person in annotations.trainable()]]
    return hashlib.sha256(json.dumps([values, data], sort_keys=True).encode()).hexdigest()


def _save(
    path: Path, fingerprint: str, model: CPN, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    state = {
        "recipe": fingerprint,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "iteration": progress.iteration,
        "losses": progress.losses,
        "measured": progress.measured,
        "running": progress.running,
    }
    with replacing(path) as partial:
        torch.save(state, partial)


def _restore(
    path: Path, fingerprint: str, model: CPN, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        known = state["recipe"]
    except FileNotFoundError as error:
        raise InputError(f"nothing to resume: {path} does not exist") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise InputError(f"{path} is not a checkpoint of videopose ({type(error).__name__})") from error
    if known != fingerprint:
        raise InputError(
            f"{path} belongs to another recipe or other annotations; give those, or start afresh"
        )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    progress.iteration = state["iteration"]
    progress.losses = [(i, value) for i, value in state["losses"]]
    progress.measured = [(i, value) for i, value in state["measured"]]
    progress.running = state["running"]
