"""The settings that all recipes for fine-tuning detectors share."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from ...yaml_config import StrictConfig
from ..coco.annotations import Annotations
from ..coco.keypoint_names import names_in_files


class StageConfig(StrictConfig):
    """A stage of the schedule: a number of iterations at one learning rate."""

    iterations: PositiveInt
    learning_rate: PositiveFloat


class Recipe(StrictConfig):
    """The settings that all recipes share.

    Attributes:
        name: The recipe's name.
        schedule: The stages, one after the other.
        batch: People (CPN) or images (Mask R-CNN) per iteration, on all GPUs together.
        warmup: Iterations in which the learning rate rises to that of the first stage.
        seed: Seed of all random numbers.
        evaluate_every: Iterations between two measurements.
        checkpoint_every: Iterations between two checkpoints.
        report_every: Iterations between two points of the training curve.
        workers: Threads (CPN) or processes (Mask R-CNN) that read images, on each GPU.
    """

    name: str
    schedule: tuple[StageConfig, ...] = Field(min_length=1)
    batch: PositiveInt
    warmup: Annotated[int, Field(ge=0)] = 0
    seed: int = 0
    evaluate_every: PositiveInt = 1000
    checkpoint_every: PositiveInt = 500
    report_every: PositiveInt = 20
    workers: Annotated[int, Field(ge=0)] = 2

    @property
    def iterations(self) -> int:
        """Iterations of all stages together."""
        return sum(stage.iterations for stage in self.schedule)

    def learning_rate(self, iteration: int) -> float:
        """Return the learning rate of an iteration, counted from 0."""
        rise = min(1.0, (iteration + 1) / (self.warmup + 1))
        for stage in self.schedule:
            if iteration < stage.iterations:
                return stage.learning_rate * rise
            iteration -= stage.iterations
        return self.schedule[-1].learning_rate


def fingerprint(recipe: Recipe, annotations: Annotations) -> str:
    """Return a hash of all settings and data that the result of a run depends on."""
    free = {"evaluate_every", "checkpoint_every", "workers", "flip_test"}
    values = recipe.model_dump(mode="json", exclude=free)
    data = [list(names_in_files(annotations.keypoints)), [person.id for person in annotations.trainable()]]
    return hashlib.sha256(json.dumps([values, data], sort_keys=True).encode()).hexdigest()
