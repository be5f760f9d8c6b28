"""The settings that all recipes for fine-tuning detectors share."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt

from ...errors import UsageError
from ...yaml_config import Seed, StrictConfig
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
    seed: Seed = 0
    evaluate_every: PositiveInt = 1000
    checkpoint_every: PositiveInt = 500
    report_every: PositiveInt = 20
    workers: Annotated[int, Field(ge=0)] = 2

    @property
    def iterations(self) -> int:
        """Iterations of all stages together."""
        return sum(stage.iterations for stage in self.schedule)

    @property
    def warmup_iterations(self) -> int:
        """Iterations in which the rate rises: `warmup`, or all but the last of a shorter schedule."""
        return min(self.warmup, self.iterations - 1)

    def shortened(self, iterations: int) -> Self:
        """Return the recipe with another number of iterations; its stages keep their shares of them.

        A stage whose share is less than half an iteration is left out.

        Raises:
            UsageError: The number is not positive.
        """
        if iterations < 1:
            raise UsageError(f"--iterations takes a number from 1 on, not {iterations}")
        ends = [sum(stage.iterations for stage in self.schedule[: n + 1]) for n in range(len(self.schedule))]
        scaled = [round(end * iterations / self.iterations) for end in ends]
        counts = [end - start for start, end in pairwise([0, *scaled])]
        stages = tuple(
            StageConfig(iterations=count, learning_rate=stage.learning_rate)
            for stage, count in zip(self.schedule, counts, strict=True)
            if count
        )
        warmup = round(self.warmup * iterations / self.iterations)
        return self.model_copy(update={"schedule": stages, "warmup": warmup})

    def learning_rate(self, iteration: int) -> float:
        """Return the learning rate of an iteration, counted from 0."""
        rise = min(1.0, (iteration + 1) / (self.warmup_iterations + 1))
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
