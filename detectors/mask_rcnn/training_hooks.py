"""What detectron2's training loop does between iterations: schedule, record, measurements and checkpoints.

Importing this module imports detectron2: call `require_detectron2` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from detectron2.engine import hooks
from detectron2.solver import LRMultiplier, WarmupParamScheduler
from detectron2.utils import comm
from fvcore.common.param_scheduler import MultiStepParamScheduler

from ..finetuning.record import TrainingRecord
from .checkpoints import BEST, BestCheckpointer, RunCheckpointer
from .recipe import MaskRCNNRecipe

_METRIC = "keypoints/AP"


def training_hooks(
    recipe: MaskRCNNRecipe,
    optimiser: torch.optim.Optimizer,
    checkpointer: RunCheckpointer,
    best: BestCheckpointer,
    record: TrainingRecord,
    report: Callable[[], None],
    measure: Callable[[], float] | None,
) -> list[hooks.HookBase]:
    """Return the hooks of a run. Only the first process records, measures, saves and reports.

    Args:
        recipe: The schedule and the intervals.
        optimiser: Whose learning rate is set.
        checkpointer: Saves what a run is resumed from.
        best: Saves the best weights.
        record: Takes the losses and measurements.
        report: Called after everything else of an iteration.
        measure: Returns AP.
    """
    first = comm.is_main_process()
    found: list[hooks.HookBase] = [
        _Seed(recipe.seed),
        hooks.IterationTimer(),
        hooks.LRScheduler(optimiser, _schedule(recipe, optimiser)),
    ]
    if first:
        found.append(_Recorder(record))
    if measure is not None:

        def evaluate() -> dict[str, float]:
            if not comm.is_main_process():
                return {}
            ap = measure()
            record.add_measurement({"ap": ap})
            return {_METRIC: ap}

        found.append(hooks.EvalHook(recipe.evaluate_every, evaluate))
        if first:
            found.append(_Best(recipe.evaluate_every, best, _METRIC, file_prefix=BEST))
    if first:
        found += [
            hooks.PeriodicCheckpointer(checkpointer, recipe.checkpoint_every, max_to_keep=2),
            _Reporter(report),
        ]
    return found


class _Seed(hooks.HookBase):  # type: ignore[misc]
    """Makes everything that is random in the network depend on the iteration alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_step(self) -> None:
        torch.manual_seed((self.seed * 1_000_003 + self.trainer.iter) * 1_009 + comm.get_rank())


class _Recorder(hooks.HookBase):  # type: ignore[misc]
    """Keeps the record, also in checkpoints."""

    def __init__(self, record: TrainingRecord) -> None:
        self.record = record

    def after_step(self) -> None:
        latest = self.trainer.storage.latest()
        self.record.step += 1
        self.record.learning_rate = latest["lr"][0]
        self.record.add_losses([latest["total_loss"][0]])

    def state_dict(self) -> dict[str, Any]:
        return self.record.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.record.load_state_dict(state)


class _Reporter(hooks.HookBase):  # type: ignore[misc]
    """Reports after every iteration."""

    def __init__(self, report: Callable[[], None]) -> None:
        self.report = report

    def after_step(self) -> None:
        self.report()


class _Best(hooks.BestCheckpointer):  # type: ignore[misc]
    """detectron2's hook, which here also remembers the best AP in checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        return {"best_metric": self.best_metric, "best_iter": self.best_iter}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best_metric, self.best_iter = state["best_metric"], state["best_iter"]


def _schedule(recipe: MaskRCNNRecipe, optimiser: torch.optim.Optimizer) -> LRMultiplier:
    base = recipe.schedule[0].learning_rate
    ends = np.cumsum([stage.iterations for stage in recipe.schedule])[:-1].tolist()
    stages: Any = MultiStepParamScheduler(
        [stage.learning_rate / base for stage in recipe.schedule],
        milestones=ends,
        num_updates=recipe.iterations,
    )
    if recipe.warmup_iterations:
        first = 1 / (recipe.warmup_iterations + 1)
        share = recipe.warmup_iterations / recipe.iterations
        stages = WarmupParamScheduler(stages, first, share, "linear")
    return LRMultiplier(optimiser, stages, recipe.iterations)
