"""Fine-tuning Mask R-CNN on annotated images, by detectron2's engine, mapper, loader and solver.

Importing this module imports detectron2: call `require_detectron2` first. Nothing is registered with its
catalogues: data goes to its loader directly.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper
from detectron2.data.detection_utils import build_augmentation
from detectron2.engine import SimpleTrainer, hooks
from detectron2.engine.defaults import create_ddp_model
from detectron2.solver import (
    LRMultiplier,
    WarmupParamScheduler,
    build_optimizer,
    get_default_optimizer_params,
)
from detectron2.solver.build import maybe_add_gradient_clipping
from detectron2.utils import comm
from fvcore.common.param_scheduler import MultiStepParamScheduler
from torch import nn

from ...errors import InputError, UsageError
from ...files import replacing
from ..coco.annotations import Annotations
from ..coco.evaluation import Found
from ..coco.keypoint_names import names_in_files
from ..finetuning.config import MaskRCNNRecipe
from ..finetuning.progress import Progress, fingerprint
from .model import SafeCheckpointer, build_network, configuration, read_checkpoint, zoo_weights
from .training_images import training_loader

BEST = "model_best"
"""The best weights' file, `.pth`."""

_METRIC = "keypoints/AP"


def train_mask_rcnn(
    recipe: MaskRCNNRecipe,
    annotations: Annotations,
    images: Path,
    *,
    folder: Path,
    base: Path | None = None,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    measure: Callable[[nn.Module, CfgNode, Progress], float] | None = None,
) -> nn.Module:
    """Train and return the network in evaluation mode.

    base: weights of Keypoint R-CNN, of any keypoint set, whose deconvolution, the last keypoint layer,
    begins anew; None for the model zoo's or, if the recipe says so, random numbers. folder: for detectron2's
    checkpoints, `last_checkpoint` naming the latest, and `model_best.pth`; with `resume` a run goes on from
    there, with the losses of an uninterrupted one. report: told after every iteration. measure: gives AP,
    called every `evaluate_every` iterations and at the end, the network in evaluation mode. Of several
    processes, as detectron2's launcher starts them, the first one alone writes, reports and measures.
    Raises `InputError` where weights or checkpoint cannot be used or an image cannot be read, and
    `UsageError` where nobody is annotated or the loss grows beyond all bounds.
    """
    config = configure(recipe, len(annotations.keypoints), device)
    torch.manual_seed(recipe.seed)
    model = build_network(config)
    if not resume:
        _begin(model, recipe, base)
    if config.SOLVER.AMP.ENABLED:
        _train_in_bfloat16(model)
    optimiser = _optimiser(recipe, config, model)
    parallel = create_ddp_model(model, broadcast_buffers=False)
    progress = Progress(recipe.iterations)
    known = fingerprint(recipe, annotations)
    start = _start(folder, known) if resume else 0
    loader = training_loader(recipe, config, annotations, images, start=start)
    trainer = SimpleTrainer(parallel, loader, optimiser)
    told = {"keypoints": list(names_in_files(annotations.keypoints)), "settings": recipe.overrides}
    checkpointer = _Checkpointer(parallel, folder, told | {"recipe": known}, trainer=trainer)
    best = _BestCheckpointer(parallel, folder, told)
    trainer.register_hooks(_hooks(recipe, config, optimiser, checkpointer, best, progress, report, measure))
    if resume:
        checkpointer.load(checkpointer.get_checkpoint_file())
    try:
        with _without_its_warnings():
            trainer.train(start, recipe.iterations)
    except FloatingPointError as error:
        raise UsageError(
            f"training broke down at iteration {progress.iteration + 1}: lower the learning rates"
        ) from error
    if comm.is_main_process():
        report(progress)  # the last AP is measured after the last iteration
    return model.eval()


def find_people(model: nn.Module, config: CfgNode, annotations: Annotations, images: Path) -> Iterator[Found]:
    """What the network finds on each annotated image, as detectron2 evaluates."""
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
    """detectron2 does some things in ways that PyTorch has come to warn of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(detectron2|fvcore)\.")
        warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
        yield


def configure(recipe: MaskRCNNRecipe, keypoints: int, device: str = "cpu") -> CfgNode:
    """detectron2's configuration for a recipe. Raises `UsageError` for overrides that it does not know."""
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
    """Mixed precision on any device; detectron2's AMPTrainer is for CUDA alone. Evaluations stay exact."""
    exact = model.forward

    def forward(batch: list[dict[str, Any]]) -> Any:
        with torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=model.training):
            return exact(batch)

    model.forward = forward


def _optimiser(recipe: MaskRCNNRecipe, config: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
    """detectron2's, or Adam, which it does not build but clips gradients for."""
    if recipe.optimiser == "sgd":
        return build_optimizer(config, model)
    adam = maybe_add_gradient_clipping(config, torch.optim.Adam)
    return adam(get_default_optimizer_params(model), config.SOLVER.BASE_LR)


def _begin(model: nn.Module, recipe: MaskRCNNRecipe, base: Path | None) -> None:
    if base is None and recipe.from_scratch:
        return
    path = base or zoo_weights(recipe.backbone)
    _BaseCheckpointer(model, save_to_disk=False).load(str(path))


class _BaseCheckpointer(SafeCheckpointer):
    """Loads everything but the last keypoint layer, which keeps its random numbers."""

    def _load_file(self, filename: str) -> dict[str, Any]:
        content = read_checkpoint(Path(filename))
        kept = {n: v for n, v in content["model"].items() if "score_lowres" not in n and "kps_score" not in n}
        return {**content, "model": kept}


class _Checkpointer(SafeCheckpointer):
    """detectron2's, whose files appear whole or not at all, and name the keypoints and settings."""

    def __init__(self, model: nn.Module, folder: Path, told: dict[str, Any], **checkpointables: Any) -> None:
        super().__init__(model, str(folder), **checkpointables)
        self.told = told

    def save(self, name: str, **more: Any) -> None:
        if not self.save_to_disk:
            return
        content = {"model": self.model.state_dict(), **self.told, **more}
        content |= {key: value.state_dict() for key, value in self.checkpointables.items()}
        path = Path(self.save_dir) / f"{name}.pth"
        with replacing(path) as partial:
            torch.save(content, partial)
        self.tag_last_checkpoint(path.name)


class _BestCheckpointer(_Checkpointer):
    """Saves parameters alone, not to be resumed from."""

    def tag_last_checkpoint(self, last_filename_basename: str) -> None:
        pass


class _Best(hooks.BestCheckpointer):  # type: ignore[misc]
    """detectron2's, which remembers the best also after an interruption."""

    def state_dict(self) -> dict[str, Any]:
        return {"best_metric": self.best_metric, "best_iter": self.best_iter}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best_metric, self.best_iter = state["best_metric"], state["best_iter"]


class _Reporter(hooks.HookBase):  # type: ignore[misc]
    """Keeps the curve, and tells of it."""

    def __init__(self, progress: Progress, every: int, report: Callable[[Progress], None]) -> None:
        self.progress, self.every, self.report = progress, every, report

    def after_step(self) -> None:
        latest = self.trainer.storage.latest()
        self.progress.learning_rate = latest["lr"][0]
        self.progress.note(latest["total_loss"][0], self.every)

    def state_dict(self) -> dict[str, Any]:
        return self.progress.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.progress.load_state_dict(state)


class _Tell(hooks.HookBase):  # type: ignore[misc]
    """Reports after everything else of an iteration is done."""

    def __init__(self, reporter: _Reporter) -> None:
        self.reporter = reporter

    def after_step(self) -> None:
        self.reporter.report(self.reporter.progress)


class _Seed(hooks.HookBase):  # type: ignore[misc]
    """Makes what the network draws at random depend on the iteration alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_step(self) -> None:
        torch.manual_seed((self.seed * 1_000_003 + self.trainer.iter) * 1_009 + comm.get_rank())


def _hooks(
    recipe: MaskRCNNRecipe,
    config: CfgNode,
    optimiser: torch.optim.Optimizer,
    checkpointer: _Checkpointer,
    best: _BestCheckpointer,
    progress: Progress,
    report: Callable[[Progress], None],
    measure: Callable[[nn.Module, CfgNode, Progress], float] | None,
) -> list[hooks.HookBase]:
    model = checkpointer.model
    found: list[hooks.HookBase] = [
        _Seed(recipe.seed),
        hooks.IterationTimer(),
        hooks.LRScheduler(optimiser, _schedule(recipe, optimiser)),
    ]
    reporter = _Reporter(progress, recipe.report_every, report)
    if comm.is_main_process():
        found.append(reporter)
    if measure is not None:

        def evaluate() -> dict[str, float]:
            if not comm.is_main_process():
                return {}
            ap = measure(model.eval(), config, progress)
            model.train()
            progress.measured.append((progress.iteration, ap))
            return {_METRIC: ap}

        found.append(hooks.EvalHook(recipe.evaluate_every, evaluate))
        if comm.is_main_process():
            found.append(_Best(recipe.evaluate_every, best, _METRIC, file_prefix=BEST))
    if comm.is_main_process():
        found += [
            hooks.PeriodicCheckpointer(checkpointer, recipe.checkpoint_every, max_to_keep=2),
            _Tell(reporter),
        ]
    return found


def _schedule(recipe: MaskRCNNRecipe, optimiser: torch.optim.Optimizer) -> LRMultiplier:
    base = recipe.schedule[0].learning_rate
    ends = np.cumsum([stage.iterations for stage in recipe.schedule])[:-1].tolist()
    stages: Any = MultiStepParamScheduler(
        [stage.learning_rate / base for stage in recipe.schedule],
        milestones=ends,
        num_updates=recipe.iterations,
    )
    if recipe.warmup:
        first = 1 / (recipe.warmup + 1)
        stages = WarmupParamScheduler(stages, first, recipe.warmup / recipe.iterations, "linear")
    return LRMultiplier(optimiser, stages, recipe.iterations)


def _start(folder: Path, known: str) -> int:
    """The iteration to go on with. Raises `InputError` where there is no fitting checkpoint."""
    name = folder / "last_checkpoint"
    if not name.is_file():
        raise InputError(f"nothing to resume: {name} does not exist")
    content = read_checkpoint(folder / name.read_text("utf-8").strip())
    if not isinstance(content.get("iteration"), int) or "trainer" not in content:
        raise InputError(f"{folder} holds no checkpoint of fine-tuning")
    if content.get("recipe") != known:
        raise InputError(
            f"{folder} belongs to another recipe or other annotations; give those, or start afresh"
        )
    return int(content["iteration"]) + 1
