"""Training a lifter on motion capture: the published optimisation on synthesised batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError, UsageError
from ..files import replacing
from .bodies import MotionBank
from .config import MotionFile, TrainingConfig
from .mocap import MotionCapture
from .model import TemporalModel
from .synthesis import Batch, synthesise

LOSS_EVERY = 50  # steps that one point of the training curve is the mean of


@dataclass
class Progress:
    """How far a run has come: `step` of `steps`, and the mean training MPJPE (metres) every `LOSS_EVERY`
    steps; `running` holds those since."""

    steps: int
    step: int = 0
    losses: list[float] = field(default_factory=list)
    running: list[float] = field(default_factory=list)


def split(config: TrainingConfig, folder: Path) -> tuple[MotionBank, MotionCapture | None]:
    """Read the configured motion: what to train on, and the held-out people (None if there are none)."""
    train: list[tuple[MotionCapture, float]] = []
    held: list[MotionCapture] = []
    for motion in config.motions:
        table = MotionCapture.load(folder / motion.path)
        known = {*table.subjects, *(f"{s}/{a}" for s, a in zip(table.subjects, table.actions, strict=True))}
        if unknown := sorted(({*motion.held_out} - {*table.subjects}) | ({*motion.exclude} - known)):
            raise UsageError(f"{motion.path} has nobody called {', '.join(unknown)}")
        keep = [i for i in range(len(table)) if _role(table, i, motion) == "train"]
        if not keep:
            raise UsageError(f"{motion.path}: every clip is held out or excluded")
        train.append((table.select(keep), motion.weight))
        test = [i for i in range(len(table)) if _role(table, i, motion) == "held out"]
        if test:
            held.append(table.select(test))
    if len(held) > 1:
        raise UsageError("people can be held out of one motion file only")
    return MotionBank.build(train), held[0] if held else None


def _role(table: MotionCapture, clip: int, motion: MotionFile) -> str:
    subject, action = table.subjects[clip], table.actions[clip]
    if subject in motion.held_out:
        return "held out"
    return "excluded" if {subject, f"{subject}/{action}"} & set(motion.exclude) else "train"


def train(
    config: TrainingConfig,
    bank: MotionBank,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    measure: Callable[[TemporalModel, int], None] | None = None,
) -> TemporalModel:
    """Train `config.model` and return it in evaluation mode.

    folder: where `checkpoint.pt` is kept; with `resume` a run goes on from there and ends in the numbers
    of an uninterrupted one. report: told after every step. measure: called with the model (in evaluation
    mode) and the step every `measure_every` steps and at the end.
    Raises `InputError` where there is no fitting checkpoint to resume.
    """
    schedule = config.schedule
    torch.manual_seed(config.seed)
    model = TemporalModel(**config.model.model_dump()).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate, amsgrad=True)
    progress = Progress(schedule.steps)
    checkpoint = folder / "checkpoint.pt"
    if resume:
        _restore(checkpoint, config, model, optimiser, progress)

    batches = _batches(bank, config, progress.step)
    model.train()
    while progress.step < schedule.steps:
        done = progress.step / schedule.steps
        for group in optimiser.param_groups:
            group["lr"] = _decay(schedule.learning_rate, schedule.final_learning_rate, done)
        model.set_batch_norm_momentum(_decay(schedule.momentum, schedule.final_momentum, done))
        batch = next(batches)
        loss = _loss(model, batch, config.precision, device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

        progress.step += 1
        progress.running.append(loss.item())
        if len(progress.running) == LOSS_EVERY:
            progress.losses.append(sum(progress.running) / LOSS_EVERY)
            progress.running.clear()
        report(progress)
        if progress.step % schedule.checkpoint_every == 0 or progress.step == schedule.steps:
            _save(checkpoint, config, model, optimiser, progress)
        if measure and (progress.step % schedule.measure_every == 0 or progress.step == schedule.steps):
            model.eval()
            measure(model, progress.step)
            model.train()
    return model.eval()


def _loss(model: TemporalModel, batch: Batch, precision: str, device: str) -> torch.Tensor:
    keypoints, pose = batch.keypoints.to(device), batch.pose.to(device)
    kind = torch.device(device).type
    with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
        out = model.forward_strided(keypoints)
    loss: torch.Tensor = (out[:, 0].float() - pose).norm(dim=-1).mean()
    return loss


def _batches(bank: MotionBank, config: TrainingConfig, step: int) -> Iterator[Batch]:
    """Batches from `step` on, one ahead in a thread. A batch depends on the seed and its step alone, so a
    resumed run sees what it would have seen."""

    def make(at: int) -> Batch:
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + at)
        return synthesise(bank, config, config.schedule.batch, generator)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(make, step)
        while True:
            batch = ahead.result()
            step += 1
            ahead = pool.submit(make, step)
            yield batch


def _decay(start: float, end: float, done: float) -> float:
    return float(start * (end / start) ** done)


def _fingerprint(config: TrainingConfig) -> str:
    """Changes with anything that would make a resumed run differ; how often to save or measure does not."""
    values = config.model_dump(mode="json")
    for name in ("checkpoint_every", "measure_every"):
        del values["schedule"][name]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _save(
    path: Path,
    config: TrainingConfig,
    model: TemporalModel,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    state = {
        "config": _fingerprint(config),
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": progress.step,
        "losses": progress.losses,
        "running": progress.running,
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with replacing(path) as partial:
        torch.save(state, partial)


def _restore(
    path: Path,
    config: TrainingConfig,
    model: TemporalModel,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        fingerprint = state["config"]
    except FileNotFoundError as error:
        raise InputError(f"nothing to resume: {path} does not exist") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise InputError(f"{path} is not a checkpoint of videopose ({type(error).__name__})") from error
    if fingerprint != _fingerprint(config):
        raise InputError(f"{path} belongs to another configuration; start afresh or give the same one")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    progress.step = state["step"]
    progress.losses = state["losses"]
    progress.running = state["running"]
    torch.set_rng_state(state["random"])
    if state["cuda_random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_random"])
