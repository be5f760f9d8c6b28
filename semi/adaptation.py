"""Adapt a copy of a lifter to the very clips that it will lift, without labels.

As in semi-supervised training (paper, §4), predicted poses are compared with the clips' keypoints, and the
bones of each person keep their lengths. There are three differences, which make it fast and keep it close to
the starting lifter:

- Whole stretches of a clip are lifted at once, so that a step sees the bones of all frames together.
- The roots are fitted to poses and keypoints anew in every step, so no trajectory network is trained.
- One camera determines neither the size of a person nor how far the trunk leans towards it. Mean bone lengths
  and the mean position of the trunk's joints are held to the starting lifter's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ..errors import InputError
from ..lifting.inference.lifter import Lifter
from ..lifting.simulation.motion_bank import MotionBank
from ..lifting.training.batch import prefetched
from ..lifting.training.lifter_training import LOSS_EVERY
from ..lifting.training.schedule import Rates
from ..lifting.training.synthetic_batches import SynthesisedBatches
from ..lifting.training.trainer import Intervals, StepLoss, train
from ..lifting.training.training_state import TrainingState
from ..skeleton import H36M17
from ..yaml_config import Seed, StrictConfig
from .clip_batches import ClipBatch, ClipBatches, Stretch, stretches_of
from .config import SemiVideosConfig, Weight
from .distillation import DistillationBatches, simulation_of
from .losses import bone_consistency, lengths, pose_error, reprojection_error
from .networks import EvaluationMode
from .own_motion import own_motion
from .projection import reciprocal
from .root_refit import refit_root
from .spans import COMPARED, Span

SHORTEST_TRACK = 1.0
"""Seconds of a track at least; shorter ones are not learned from."""

LEAST_SEEN = 2.0
"""Seconds in which people are seen well, of all tracks together, at least."""

_WELL_SEEN = 0.2  # mean weight of a frame's keypoints at least
_TRUNK = tuple(H36M17.index(name) for name in ("rhip", "lhip", "spine", "thorax", "lshoulder", "rshoulder"))
_USUAL_BONE = 0.25  # metres: makes the loss of relative lengths comparable to those in metres


class AdaptationConfig(StrictConfig):
    """The settings of an adaptation. The weights of all losses are relative to metres.

    Attributes:
        steps: Steps for footage of one stretch; they grow with the square root of the number of stretches.
        most_steps: Steps at most.
        stretch: Frames of a stretch at most, at the lifter's frame rate.
        samples: Samples of distillation of a step.
        learning_rate: Learning rate of the first step.
        final_learning_rate: Learning rate that the last step approaches.
        distillation: Weight of the difference from the starting lifter's poses, on its own motion seen by
            random cameras.
        reprojection: Weight of the distance between projected joints and keypoints. It is multiplied by the
            square of the keypoints' mean weight, so that poor keypoints count less.
        bone_consistency: Weight of `losses.bone_consistency`.
        size: Weight of the difference of mean bone lengths from the starting lifter's.
        trunk: Weight of the mean displacement of the trunk's joints from the starting lifter's.
        seed: Seed of everything random.
    """

    steps: PositiveInt = 24
    most_steps: PositiveInt = 200
    stretch: PositiveInt = 300
    samples: Annotated[int, Field(ge=2)] = 12
    learning_rate: PositiveFloat = 5e-5
    final_learning_rate: PositiveFloat = 2e-5
    distillation: Weight = 2.0
    reprojection: Weight = 1.0
    bone_consistency: Weight = 4.0
    size: Weight = 1.0
    trunk: Weight = 0.2
    seed: Seed = 0

    def steps_for(self, stretches: int) -> int:
        """Return the steps for so many stretches."""
        return min(self.most_steps, round(self.steps * math.sqrt(stretches)))


@dataclass(frozen=True)
class Adapted:
    """The result of an adaptation.

    Attributes:
        lifter: The adapted lifter.
        seconds: Seconds of footage that was learned from, of all people together.
        steps: Training steps.
        drift: Change of the mean bone length of the people, percent.
    """

    lifter: Lifter
    seconds: float
    steps: int
    drift: float


def adapt(
    lifter: Lifter,
    spans: Sequence[Span],
    config: AdaptationConfig | None = None,
    *,
    report: Callable[[TrainingState], None] = lambda state: None,
) -> Adapted:
    """Adapt a copy of a lifter to tracks. It runs on the lifter's device; the lifter is not changed.

    Args:
        lifter: A lifter that reads and gives Human3.6M's joints.
        spans: The tracks, of one or several videos.
        config: Settings; None for the defaults.
        report: Called after every step.

    Raises:
        InputError: The footage is too short or too poor; the message says why.
    """
    config = config or AdaptationConfig()
    lifter = replace(lifter, fused=None)
    if lifter.input_space == "screen":  # as in semi-supervised training: rays are right for every camera
        lifter = replace(lifter, input_space="rays")
    chosen = [span for span in spans if span.seconds >= SHORTEST_TRACK]
    stretches = stretches_of(chosen, lifter, longest=config.stretch)
    rate = lifter.rate or 30.0
    seconds = sum(int((s.weight.mean(1) >= _WELL_SEEN).sum()) for s in stretches) / rate
    if seconds < LEAST_SEEN:
        raise InputError(
            f"people are seen well for {seconds:.1f} s, in tracks of {SHORTEST_TRACK:g} s or more; adapting "
            f"takes {LEAST_SEEN:g} s"
        )
    trust = float(torch.cat([s.weight.flatten() for s in stretches]).mean())
    network = _PoseNetwork(copy.deepcopy(lifter.model))
    steps = config.steps_for(len(stretches))
    device = str(lifter.model.device)

    def compute_loss(called: nn.Module, batch: ClipBatch) -> StepLoss:
        assert called is network
        losses = _losses(network.model, batch)
        losses["reprojection"] = losses["reprojection"] * trust**2
        total = torch.stack([float(getattr(config, name)) * v for name, v in losses.items()]).sum()
        return StepLoss(total, total)

    def rates(step: int) -> Rates:
        falling = (config.final_learning_rate / config.learning_rate) ** (step / steps)
        return Rates(config.learning_rate * falling, 0.0)

    torch.manual_seed(config.seed)
    batches = ClipBatches(
        [stretch.to(device) for stretch in stretches], _distillation(lifter, chosen, config), config.seed
    )
    train(
        network,
        compute_loss,
        partial(prefetched, batches.sample, device=device),
        torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True),
        rates,
        TrainingState(steps, LOSS_EVERY),
        checkpoint=None,
        intervals=Intervals(checkpoint=steps, measure=steps),
        device=device,
        report=report,
    )
    adapted = replace(lifter, model=network.model.requires_grad_(True))
    return Adapted(adapted, seconds, steps, _drift(network.model, batches.stretches))


class _PoseNetwork(EvaluationMode):
    """A pose network that stays in evaluation mode."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model


def _distillation(lifter: Lifter, spans: Sequence[Span], config: AdaptationConfig) -> DistillationBatches:
    """Return samples of the clips' own motion, labeled by the starting lifter."""
    settings: dict[str, Any] = {
        **simulation_of(lifter),
        "name": "adaptation",
        "precision": "float32",
        "seed": config.seed,
        "schedule": {"batch": config.samples},
    }
    bank = MotionBank.build([(own_motion(spans, lifter), 1.0)])
    source = SynthesisedBatches(bank, SemiVideosConfig.model_validate(settings))
    return DistillationBatches(source, copy.deepcopy(lifter.model).eval())


def _losses(model: Any, batch: ClipBatch) -> dict[str, Tensor]:
    """Return every loss, by the name of its weight."""
    stretch = batch.stretch
    pose = stretch.poses(model, mirror=batch.mirror)
    lengths_now = _mean_of_person(lengths(pose, H36M17.bones), stretch.person)
    moved = _mean_of_person((pose - stretch.start)[:, _TRUNK].flatten(1), stretch.person)
    predict = model if model.dense else model.forward_strided
    return {
        "reprojection": _reprojection(pose, stretch),
        "bone_consistency": bone_consistency(pose[:, None], stretch.person, H36M17.bones),
        "size": _USUAL_BONE * (lengths_now.log() - stretch.bones.log()).abs().mean(),
        "trunk": moved.view(len(pose), -1, 3).norm(dim=-1).mean(),
        "distillation": pose_error(
            predict(batch.labeled.keypoints).view(batch.labeled.pose.shape), batch.labeled.pose
        ),
    }


def _reprojection(pose: Tensor, stretch: Stretch) -> Tensor:
    """Return the mean distance between projected joints and keypoints, in metres at the root's distance."""
    placed = (pose + refit_root(pose, stretch)[:, None])[:, list(COMPARED)]
    depth = stretch.root[:, None, 2:]
    projected = placed[..., :2] * reciprocal(placed[..., 2:])
    return reprojection_error(projected * depth, stretch.target * depth, stretch.weight)


def _mean_of_person(values: Tensor, person: Tensor) -> Tensor:
    """Replace values (T, C) by their mean over all frames of the same person."""
    same = (person[:, None] == person).to(values)
    return same @ values / same.sum(1, keepdim=True)


def _drift(model: Any, stretches: Sequence[Stretch]) -> float:
    """Return how much longer the mean bone is than with the starting lifter, percent."""
    now, before = [], []
    with torch.no_grad():
        for stretch in stretches:
            both = [stretch.poses(model, mirror=mirror) for mirror in (False, True)]
            now.append(lengths((both[0] + both[1]) / 2, H36M17.bones))
            before.append(stretch.bones)
    return 100 * float(torch.cat(now).mean() / torch.cat(before).mean() - 1)
