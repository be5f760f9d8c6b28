"""Fine-tuning CPN on annotated images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import InputError, UsageError
from ...files import replacing
from ...skeleton import Skeleton
from ..coco.annotations import Annotations
from ..finetuning.config import CPNRecipe
from ..finetuning.progress import Progress, fingerprint
from .crops import to_input
from .network import CPN, cpn_loss
from .training_samples import Batch, Share, batches, targets
from .weights import is_backbone, load_backbone, load_cpn


def begin(recipe: CPNRecipe, keypoints: Skeleton, base: Path | None) -> CPN:
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
    known = fingerprint(recipe, annotations)
    if resume:
        _restore(checkpoint, known, model, optimiser, progress)
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
            progress.note(loss.item(), recipe.report_every)
            if share.rank:
                continue
            last = progress.iteration == recipe.iterations
            if measure and (progress.iteration % recipe.evaluate_every == 0 or last):
                progress.measured.append((progress.iteration, measure(model.eval(), progress)))
            if progress.iteration % recipe.checkpoint_every == 0 or last:
                _save(checkpoint, known, model, optimiser, progress)
            report(progress)
    return model.eval()


def _loss(model: nn.Module, map_size: tuple[int, int], batch: Batch, recipe: CPNRecipe) -> torch.Tensor:
    crops = to_input(batch.crops).contiguous(memory_format=torch.channels_last)
    with torch.autocast(crops.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        coarse, refined = model(crops)
    wanted = targets(batch.points, map_size)
    return cpn_loss(coarse, refined, wanted, batch.annotated, hardest=recipe.hardest)


def _save(path: Path, known: str, model: CPN, optimiser: torch.optim.Optimizer, progress: Progress) -> None:
    state = {
        "recipe": known,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        **progress.state_dict(),
    }
    with replacing(path) as partial:
        torch.save(state, partial)


def _restore(
    path: Path, known: str, model: CPN, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        trained = state["recipe"]
    except FileNotFoundError as error:
        raise InputError(f"nothing to resume: {path} does not exist") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise InputError(f"{path} is not a checkpoint of videopose ({type(error).__name__})") from error
    if trained != known:
        raise InputError(
            f"{path} belongs to another recipe or other annotations; give those, or start afresh"
        )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    progress.load_state_dict(state)
