"""Training a lifter: the paper's optimisation (§5) on batches of any source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ...errors import UsageError
from ...skeleton import H36M17
from ..cameras.input_space import mirrored, num_features
from ..network.temporal_model import TemporalModel
from ..network.widening import with_visibility
from .batch import Batch, BatchSource, prefetched
from .checkpoint import Checkpoint, fingerprint
from .config import AnyLifterConfig, RecordedConfig, TrainingConfig
from .distributed import rank_and_world_size
from .trainer import Intervals, StepLoss, train
from .training_state import TrainingState

LOSS_EVERY = 50
"""Steps that one point of the training curve is the mean of, if there are no epochs."""


def train_lifter(
    config: TrainingConfig | RecordedConfig,
    source: BatchSource,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    start: Mapping[str, Tensor] | None = None,
    report: Callable[[TrainingState], None] = lambda state: None,
    measure: Callable[[TemporalModel, int], Mapping[str, float]] | None = None,
) -> TemporalModel:
    """Train `config.model` and return it in evaluation mode.

    Several processes share each batch; see `trainer.train`.

    Args:
        config: Model, schedule, seed and precision.
        source: Where batches come from.
        folder: Where `checkpoint.pt` is kept.
        resume: Whether to go on from the checkpoint, to the numbers of an uninterrupted run.
        device: "cpu", "cuda", …
        start: Weights to begin with, instead of random ones. Those of a lifter that reads no visibility are
            widened if the model reads it.
        report: Called after every step.
        measure: Model in evaluation mode and step → errors by name, for `TrainingState.history`. It is called
            every `schedule.measure_every` steps or epochs, and at the end.

    Raises:
        InputError: There is no fitting checkpoint to resume.
        UsageError: `start` has another shape than `config.model`, or the loss becomes infinite.
    """
    rank, _ = rank_and_world_size()
    torch.manual_seed(config.seed)
    model = TemporalModel(
        **config.model.model_dump(),
        num_joints_in=source.num_joints_in,
        num_joints_out=source.num_joints_out,
        in_features=num_features(config.input_space),
    ).to(device)
    if start is not None:
        _begin_with(model, start)
    if rank:
        torch.manual_seed(config.seed + rank)  # every process drops other activations
    form = _TrainingForm(model, strided=has_strided_form(config))
    decay = getattr(config.schedule, "average", None)
    result = train(
        form,
        _averaged_flips_loss if isinstance(config, TrainingConfig) and config.averaged_flips else _pose_loss,
        partial(prefetched, source.sample, device=device),
        # Fused: five times as fast on a CPU.
        torch.optim.Adam(model.parameters(), lr=config.schedule.learning_rate, amsgrad=True, fused=True),
        lambda step: config.schedule.at(step, source.num_steps),
        TrainingState(source.num_steps, source.steps_per_epoch or LOSS_EVERY),
        checkpoint=Checkpoint(folder / "checkpoint.pt", config_fingerprint(config)),
        intervals=intervals(config, source),
        resume=resume,
        device=device,
        precision=config.precision,
        average=moving_average(form, decay) if decay is not None else None,
        report=report,
        measure=None if measure is None else lambda form, step: measure(form.model, step),
    )
    return result.model


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average of a network's weights and batch-norm statistics.

    Args:
        network: The network that is trained.
        decay: How much of the average is kept from one step to the next.
    """
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)


def config_fingerprint(config: AnyLifterConfig) -> str:
    """Return a hash of all that decides the result; how often to save and to measure does not."""
    often = {"schedule": {"checkpoint_every", "measure_every"}}
    return fingerprint(config.model_dump(mode="json", exclude=often))


def intervals(config: AnyLifterConfig, source: BatchSource) -> Intervals:
    """Return the configured intervals in steps."""
    schedule = config.schedule
    return Intervals(schedule.checkpoint_every, schedule.measure_every * (source.steps_per_epoch or 1))


def has_strided_form(config: AnyLifterConfig) -> bool:
    """Return whether the model's faster training form can be used: one output frame a window, not dense."""
    return not config.model.dense and getattr(config.schedule, "chunk", 1) == 1


class _TrainingForm(nn.Module):
    """The model as training calls it: (N, T, J, F) → (N, chunk, J_out, 3)."""

    def __init__(self, model: TemporalModel, *, strided: bool) -> None:
        super().__init__()
        self.model = model
        self.strided = strided

    def forward(self, keypoints: Tensor) -> Tensor:
        out: Tensor = self.model.forward_strided(keypoints) if self.strided else self.model(keypoints)
        return out


def _pose_loss(network: nn.Module, batch: Batch) -> StepLoss:
    """MPJPE, in metres."""
    pose = network(batch.keypoints).float()
    loss = (pose - batch.pose.reshape(pose.shape)).norm(dim=-1).mean()
    return StepLoss(loss, loss)


def _averaged_flips_loss(network: nn.Module, batch: Batch) -> StepLoss:
    """MPJPE of the mean of two poses, of a window and of its mirrored twin, in metres."""
    both = torch.cat([batch.keypoints, mirrored(batch.keypoints, H36M17.mirror)])
    pose, twin = network(both).float().chunk(2)
    pose = (pose + mirrored(twin, H36M17.mirror)) / 2
    loss = (pose - batch.pose.reshape(pose.shape)).norm(dim=-1).mean()
    return StepLoss(loss, loss)


def _begin_with(model: TemporalModel, start: Mapping[str, Tensor]) -> None:
    joints = model.num_joints_in
    if model.in_features == 3 and start["expand_conv.weight"].shape[1] == 2 * joints:
        start = with_visibility(start, joints=joints)
    try:
        model.load_state_dict(start)
    except RuntimeError as error:
        raise UsageError(
            "the lifter to start with has another shape than the configuration's model; give it the same "
            "filter_widths and channels"
        ) from error
