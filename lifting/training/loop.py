"""Training a lifter: the published optimisation (§5) on batches from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..network.temporal_model import TemporalModel
from . import checkpoint
from .batch import Batch, BatchSource, one_ahead, to_device
from .checkpoint import Progress
from .config import RecordedConfig, TrainingConfig
from .distributed import place, share

LOSS_EVERY = 50  # steps that one point of the training curve is the mean of, where there are no epochs


def train(
    config: TrainingConfig | RecordedConfig,
    source: BatchSource,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    start: Mapping[str, Tensor] | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    measure: Callable[[TemporalModel, int], Mapping[str, float]] | None = None,
) -> TemporalModel:
    """Train `config.model` on batches of `source` and return it in evaluation mode.

    folder: where `checkpoint.pt` is kept; with `resume` a run goes on from there and ends in the numbers of
    an uninterrupted one. start: a model's state to begin with, instead of random weights. report: told
    after every step. measure: called with the model (in evaluation mode) and the step every
    `schedule.measure_every` steps or epochs and at the end; the errors it returns are kept in
    `Progress.history`.

    Under `distributed.joined` the batch is shared by all processes, which must all call this; only the first
    writes and measures. Resuming is exact for the same number of processes.
    Raises `InputError` where there is no fitting checkpoint to resume, `UsageError` where `start` is of
    another shape than `config.model`.
    """
    schedule = config.schedule
    rank = place()[0]
    torch.manual_seed(config.seed)
    inputs, outputs = source.joints
    shape = config.model.model_dump()
    model = TemporalModel(**shape, num_joints_in=inputs, num_joints_out=outputs).to(device)
    if start is not None:
        _begin_with(model, start)
    lift = share(_Lift(model, strided=_single_frames(config)), device)
    # Fused: five times as fast on a CPU.
    optimiser = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate, amsgrad=True, fused=True)
    if rank:
        torch.manual_seed(config.seed + rank)  # every process drops other activations
    progress = Progress(source.steps, source.epoch or LOSS_EVERY)
    path = folder / "checkpoint.pt"
    if resume:
        checkpoint.restore(path, config, model, optimiser, progress, device)

    measure_every = schedule.measure_every * (source.epoch or 1)
    batches = _batches(source, progress.step, device)
    recent: list[Tensor] = []  # losses that nobody has waited for yet
    model.train()
    while progress.step < progress.steps:
        rate, momentum = schedule.at(progress.step, progress.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        set_momentum(model, momentum)
        loss = _loss(lift, next(batches), config.precision, device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

        progress.step += 1
        recent.append(loss.detach())
        last = progress.step == progress.steps
        saving = last or progress.step % schedule.checkpoint_every == 0
        if saving or len(progress.running) + len(recent) == progress.every:
            progress.running += torch.stack(recent).tolist()
            recent.clear()
        if len(progress.running) == progress.every:
            progress.losses.append(sum(progress.running) / progress.every)
            progress.running.clear()
        report(progress)
        if measure and rank == 0 and (last or progress.step % measure_every == 0):
            model.eval()
            progress.history.append((progress.step, dict(measure(model, progress.step))))
            model.train()
        if saving:
            checkpoint.save(path, config, model, optimiser, progress, device)
    return model.eval()


def _begin_with(model: TemporalModel, start: Mapping[str, Tensor]) -> None:
    try:
        model.load_state_dict(start)
    except RuntimeError as error:
        raise UsageError(
            "the lifter to start with has another shape than the configuration's model; give it the same "
            "filter_widths and channels"
        ) from error


class _Lift(nn.Module):
    """The model as training calls it: (N, T, J, F) → (N, chunk, J_out, 3)."""

    def __init__(self, model: TemporalModel, *, strided: bool) -> None:
        super().__init__()
        self.model = model
        self.strided = strided

    def forward(self, keypoints: Tensor) -> Tensor:
        out: Tensor = self.model.forward_strided(keypoints) if self.strided else self.model(keypoints)
        return out


def _single_frames(config: TrainingConfig | RecordedConfig) -> bool:
    """Whether the model's faster training form will do."""
    return not config.model.dense and (isinstance(config, TrainingConfig) or config.schedule.chunk == 1)


def set_momentum(model: TemporalModel, momentum: float) -> None:
    """(The model's own method does not know the batch normalisation that is shared between GPUs.)"""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum


def _loss(lift: nn.Module, batch: Batch, precision: str, device: str) -> Tensor:
    kind = torch.device(device).type
    with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
        out = lift(batch.keypoints)
    loss: Tensor = (out.float() - batch.pose.reshape(out.shape)).norm(dim=-1).mean()
    return loss


def _batches(source: BatchSource, step: int, device: str) -> Iterator[Batch]:
    """Batches from `step` on, on `device`, one ahead in a thread."""
    rank, world = place()

    def make(at: int) -> Batch:
        batch = source.draw(at, rank=rank, world=world)
        return replace(
            batch, keypoints=to_device(device, batch.keypoints), pose=to_device(device, batch.pose)
        )

    return one_ahead(make, step, device)
