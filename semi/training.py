"""Semi-supervised training (paper §4): labelled people in a batch's first half, footage in its second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training import checkpoint
from ..lifting.training.batch import Batch, BatchSource, one_ahead, to_device
from ..lifting.training.checkpoint import Progress
from ..lifting.training.distributed import place, share
from ..lifting.training.loop import LOSS_EVERY, set_momentum
from .batches import UnlabelledBatch, UnlabelledBatches
from .config import AnySemiConfig
from .losses import bone_error, pose_error, reprojection_error, spread_error, trajectory_error
from .networks import Networks, rotation_of, to_camera, to_network
from .projection import project


@dataclass(frozen=True)
class Answer:
    """What the networks say of a batch: poses (N, chunk, J, 3) and roots (N, chunk, 1, 3), both in the space
    they answer in, and how that is turned (`rotation_of`)."""

    pose: Tensor
    root: Tensor
    rotation: Tensor | None

    def part(self, samples: slice) -> Answer:
        """Of some samples."""
        turned = None if self.rotation is None else self.rotation[samples]
        return Answer(self.pose[samples], self.root[samples], turned)


def labelled_terms(answer: Answer, batch: Batch) -> dict[str, Tensor]:
    """`pose` and `trajectory`: the errors of poses and of roots."""
    root = to_network(batch.root.reshape(answer.root.shape), answer.rotation)
    return {
        "pose": pose_error(answer.pose, batch.pose.reshape(answer.pose.shape)),
        "trajectory": trajectory_error(answer.root[:, :, 0], root[:, :, 0]),
    }


def unlabelled_terms(
    answer: Answer,
    batch: UnlabelledBatch,
    labelled: Tensor,
    *,
    joints: Sequence[int],
    bones: Sequence[tuple[int, int]],
) -> dict[str, Tensor]:
    """`reprojection`, `bones` and `spread`: how far the answer is from the keypoints, its bones from those of
    `labelled`, the poses that the networks give of labelled people, and everybody's bones from their mean."""
    placed = to_camera(answer.pose + answer.root, answer.rotation)[:, :, list(joints)]
    return {
        "reprojection": reprojection_error(project(placed, batch.camera), batch.target, batch.weight),
        "bones": bone_error(labelled, answer.pose, bones),
        "spread": spread_error(answer.pose, batch.person, bones),
    }


def train(
    config: AnySemiConfig,
    networks: Networks,
    labelled: BatchSource,
    unlabelled: UnlabelledBatches | None,
    *,
    bones: Sequence[tuple[int, int]],
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    measure: Callable[[Networks, int], Mapping[str, float]] | None = None,
) -> Networks:
    """Train both networks and return them in evaluation mode.

    labelled: batches with roots, in the input space that `config` names. unlabelled: as many samples of each
    step come from here once the warm-up is over; None for labelled data alone. bones: (child, parent) pairs
    of the poses. folder, resume, device, report, measure: as of `lifting.training.train`.

    Several processes share a batch as in `lifting.training.train`. Raises `InputError` where there is no
    fitting checkpoint to resume.
    """
    schedule, terms = config.schedule, config.semi
    rank = place()[0]
    torch.manual_seed(config.seed + rank)
    networks.to(device).train()
    called = share(networks, device)
    rates = {networks.pose: terms.pose_rate, networks.trajectory: 1.0}
    groups = [{"params": [*network.parameters()], "share": part} for network, part in rates.items()]
    optimiser = torch.optim.Adam(groups, lr=schedule.learning_rate, amsgrad=True, fused=True)
    progress = Progress(labelled.steps, labelled.epoch or LOSS_EVERY)
    path = folder / "checkpoint.pt"
    state = cast(TemporalModel, networks)  # as far as a checkpoint is concerned
    if resume:
        checkpoint.restore(path, config, state, optimiser, progress, device)

    warm = terms.warmup * (labelled.epoch or 1)
    measure_every = schedule.measure_every * (labelled.epoch or 1)
    footage = unlabelled if terms.unlabelled else None
    batches = _batches(labelled, footage, warm, progress.step, device)
    step = partial(_step, called, config, footage, bones)
    while progress.step < progress.steps:
        rate, momentum = schedule.at(progress.step, progress.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        set_momentum(state, momentum)
        with torch.autocast(
            torch.device(device).type, torch.bfloat16, enabled=config.precision == "bfloat16"
        ):
            values = step(*next(batches))
        loss = torch.stack([getattr(terms, name) * value for name, value in values.items()]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

        progress.step += 1
        progress.running.append(float(values["pose"].detach()))
        if len(progress.running) == progress.every:
            progress.losses.append(sum(progress.running) / progress.every)
            progress.running.clear()
        report(progress)
        last = progress.step == progress.steps
        if measure and rank == 0 and (last or progress.step % measure_every == 0):
            networks.eval()
            progress.history.append((progress.step, dict(measure(networks, progress.step))))
            networks.train()
        if last or progress.step % schedule.checkpoint_every == 0:
            checkpoint.save(path, config, state, optimiser, progress, device)
    return networks.eval()


def _step(
    networks: torch.nn.Module,
    config: AnySemiConfig,
    footage: UnlabelledBatches | None,
    bones: Sequence[tuple[int, int]],
    batch: Batch,
    more: UnlabelledBatch | None,
) -> dict[str, Tensor]:
    """The loss's terms in one step."""
    keypoints = batch.keypoints if more is None else torch.cat([batch.keypoints, more.keypoints])
    with torch.autocast(keypoints.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
        pose, root = networks(keypoints)
    rotation = rotation_of(keypoints, config.model, pose.shape[1], config.input_space)
    answer = Answer(pose.float(), root.float(), rotation)
    half = len(batch.keypoints)
    first = answer.part(slice(half))
    values = labelled_terms(first, batch)
    if more is not None:
        assert footage is not None
        second = answer.part(slice(half, None))
        joints = footage.footage.joints
        values |= unlabelled_terms(second, more, first.pose, joints=joints, bones=bones)
    return values


def _batches(
    labelled: BatchSource, unlabelled: UnlabelledBatches | None, warm: int, step: int, device: str
) -> Iterator[tuple[Batch, UnlabelledBatch | None]]:
    """Both halves from `step` on, on `device`, one step ahead in a thread."""
    rank, world = place()

    def make(at: int) -> tuple[Batch, UnlabelledBatch | None]:
        batch = labelled.draw(at, rank=rank, world=world)
        first = replace(batch, **{name: to_device(device, value) for name, value in vars(batch).items()})
        if unlabelled is None or at < warm:
            return first, None
        count = len(batch.keypoints)
        most = count + 1  # the sizes of labelled batches differ by one at most; no sample is drawn twice
        second = unlabelled.draw(((at - warm) * world + rank) * most, count)
        return first, second.map(partial(to_device, device))

    return one_ahead(make, step, device)
