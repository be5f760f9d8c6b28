"""Labeled batches that keep a trained lifter from forgetting what it learned, while it learns new footage."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training.batch import Batch, BatchSource


class DistillationBatches:
    """Batches whose poses are a model's own predictions, instead of the truth.

    This is "learning without forgetting" (Li & Hoiem, ECCV 2016). At first there is nothing to learn from
    these batches. Later they hold the model to what it knows, wherever footage tells nothing better. Roots
    stay the true ones.

    Args:
        batches: Batches of one frame each.
        model: In evaluation mode, on any device.
        precision: Number type of the training. The predictions are made in the same type: otherwise the
            rounding would be a difference to learn, which Adam, scaling all gradients alike, would do.
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

    Labeled motion of other people alone would pull the predictions towards their body size, which no video
    contradicts.
    """

    def __init__(self, new: BatchSource, known: BatchSource) -> None:
        self.new, self.known = new, known
        self.num_joints_in, self.num_joints_out = new.num_joints_in, new.num_joints_out
        self.num_steps, self.steps_per_epoch = new.num_steps, new.steps_per_epoch

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, as `BatchSource` describes."""
        source = self.known if step % 2 else self.new
        return source.sample(step, rank=rank, world_size=world_size)
