"""What keeps a lifter that knows its work from forgetting it while it learns new footage."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch

from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training.batch import Batch, BatchSource
from .networks import Networks


class SteadyNetworks(Networks):
    """Networks that train as they infer: nothing is dropped, and batch normalisation keeps its statistics.

    Those statistics are of far more motion than anybody's footage. Training with dropout, or with statistics
    of each batch, shifts what the networks say in use, and above all people's size, which no picture tells.
    """

    def train(self, mode: bool = True) -> Self:
        """Stay as in evaluation."""
        return super().train(False)


class Answered:
    """Batches whose poses are a model's own answers, instead of the truth (Li & Hoiem, "Learning without
    forgetting", ECCV 2016): to begin with there is nothing to learn from them, and what the model knows holds
    it where nobody can tell it anything better. Roots stay as they are.

    batches: what to answer, one frame each. model: in evaluation mode, on any device. precision: of the
    training, so that rounding makes no difference either: Adam, which scales gradients, makes much of any.
    """

    def __init__(self, batches: BatchSource, model: TemporalModel, *, precision: str = "float32") -> None:
        self.batches, self.model, self.precision = batches, model, precision
        self.joints, self.steps, self.epoch = batches.joints, batches.steps, batches.epoch

    def draw(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """As of `BatchSource`."""
        batch = self.batches.draw(step, rank=rank, world=world)
        answer = self.model if self.model.dense else self.model.forward_strided
        device = next(self.model.parameters()).device
        lower = torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with torch.no_grad(), lower:
            pose = answer(batch.keypoints.to(device))
        return replace(batch, pose=pose.float().view(batch.pose.shape))


class Alternating:
    """Batches of two kinds in turn: of what is new, and of what is to be kept.

    Labelled motion of other people alone pulls the answers to their bodies, which no picture contradicts.
    """

    def __init__(self, new: BatchSource, kept: BatchSource) -> None:
        self.new, self.kept = new, kept
        self.joints, self.steps, self.epoch = new.joints, new.steps, new.epoch

    def draw(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """As of `BatchSource`."""
        return (self.kept if step % 2 else self.new).draw(step, rank=rank, world=world)
