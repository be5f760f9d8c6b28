"""Make labeled batches by distillation, so that a lifter stays accurate while it is adapted to footage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from ..lifting.inference.lifter import Lifter
from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training.batch import Batch, BatchSource

_SHAPE = ("filter_widths", "channels", "causal", "dropout", "dense")
_INHERITED = ("speed", "mirror", "tumble", "precision", "bodies", "cameras", "detections", "picture")


def simulation_of(lifter: Lifter) -> dict[str, Any]:
    """Return the configuration with which samples for a lifter are simulated.

    Frame rate, model and input space are the lifter's. Bodies, cameras and detections are those of its
    training, if its file tells them.
    """
    trained = lifter.about.get("config") or {}
    return {
        **{name: trained[name] for name in _INHERITED if name in trained},
        "input_space": lifter.input_space,
        "rate": lifter.rate or 30.0,
        "model": {name: getattr(lifter.model, name) for name in _SHAPE},
    }


class DistillationBatches:
    """Batches in which a model's predictions replace the true poses.

    This is "learning without forgetting" (Li & Hoiem, ECCV 2016). At the start of training, the loss of these
    batches is zero. As the networks change, it penalises differences from the predictions of the starting
    lifter. The roots are the true ones.

    Args:
        batches: Batches with one target frame per sample.
        model: The starting lifter's pose network, in evaluation mode, on any device.
        precision: Number type of the training. The predictions are computed in the same type. If the types
            differed, the loss would contain rounding differences, and Adam would follow their gradients,
            because it normalises gradients of any size.
    """

    def __init__(self, batches: BatchSource, model: TemporalModel, *, precision: str = "float32") -> None:
        self.batches, self.model, self.precision = batches, model, precision
        self.num_joints_in, self.num_joints_out = batches.num_joints_in, batches.num_joints_out
        self.num_steps, self.steps_per_epoch = batches.num_steps, batches.steps_per_epoch

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, as `BatchSource` describes."""
        batch = self.batches.sample(step, rank=rank, world_size=world_size)
        predict = self.model if self.model.dense else self.model.forward_strided
        device = self.model.device
        lower = torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with torch.no_grad(), lower:
            pose = predict(batch.keypoints.to(device))
        return replace(batch, pose=pose.float().view(batch.pose.shape))


class AlternatingBatches:
    """Batches of two sources in turn: motion that is new to the model, and distillation.

    If all labeled motion were of other people, the predictions would change towards the body size of these
    people. Reprojection onto a video does not correct that, because one camera does not determine size.
    """

    def __init__(self, new: BatchSource, known: BatchSource) -> None:
        self.new, self.known = new, known
        self.num_joints_in, self.num_joints_out = new.num_joints_in, new.num_joints_out
        self.num_steps, self.steps_per_epoch = new.num_steps, new.steps_per_epoch

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, as `BatchSource` describes."""
        source = self.known if step % 2 else self.new
        return source.sample(step, rank=rank, world_size=world_size)
