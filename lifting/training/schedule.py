"""Learning rate and batch-norm momentum through a training run (paper, §5)."""

from __future__ import annotations

from typing import Annotated, NamedTuple, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ...yaml_config import StrictConfig


class Rates(NamedTuple):
    """What a schedule says of one training step.

    Attributes:
        learning_rate: The optimiser's learning rate.
        batch_norm_momentum: The weight of this step's statistics in the running ones.
    """

    learning_rate: float
    batch_norm_momentum: float


MOST_AT_ONCE = 1 << 20
"""Samples that are synthesised in one go, at most: 16 times what keeps a GPU busy."""


class ScheduleConfig(StrictConfig):
    """The paper's optimisation for endless training data: everything is counted in steps.

    Learning rate and batch-norm momentum fall exponentially from step to step.

    Attributes:
        steps: Steps of the whole run.
        batch: Samples a step.
        batches_at_once: Batches that are synthesised in one go. A GPU is idle most of the time if it makes
            fewer than some ten thousand samples at once.
        learning_rate: Learning rate of the first step.
        final_learning_rate: Learning rate that the last step approaches.
        warm_up: Share of the steps in which the learning rate rises linearly from nearly 0, so that large
            batches do not diverge.
        average: Decay of the moving average of the weights, which is what the run returns. None for the
            weights of the last step.
        momentum: Batch-norm momentum of the first step.
        final_momentum: Batch-norm momentum that the last step approaches.
        checkpoint_every: Steps between two checkpoints.
        measure_every: Steps between two measurements.
    """

    steps: PositiveInt = 20_000
    batch: PositiveInt = 1024
    batches_at_once: PositiveInt = 1
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 2e-5
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    average: Annotated[float, Field(gt=0, lt=1)] | None = None
    momentum: PositiveFloat = 0.1
    final_momentum: PositiveFloat = 0.001
    checkpoint_every: PositiveInt = 1000
    measure_every: PositiveInt = 2000

    @model_validator(mode="after")
    def _neither_too_few_nor_too_many_samples(self) -> Self:
        check_samples(self.batch)
        if self.batch * self.batches_at_once > MOST_AT_ONCE:
            raise ValueError(
                f"batch times batches_at_once, the samples made in one go, is up to {MOST_AT_ONCE:,}; found "
                f"{self.batch * self.batches_at_once:,}"
            )
        return self

    def at(self, step: int, steps: int) -> Rates:
        """Return the rates of a step, counted from 0, of `steps`."""
        done = step / steps
        rising = min(1.0, (step + 1) / (self.warm_up * steps)) if self.warm_up else 1.0
        return Rates(
            rising * _decayed(self.learning_rate, self.final_learning_rate, done),
            _decayed(self.momentum, self.final_momentum, done),
        )


class EpochScheduleConfig(StrictConfig):
    """The paper's optimisation for recordings, which are visited in epochs.

    The learning rate is multiplied by `decay` after each epoch. Batch-norm momentum falls exponentially and
    ends just above `final_momentum`.

    Attributes:
        epochs: Epochs of the whole run.
        batch: Frames that are predicted in a step.
        chunk: Neighbouring frames that make one sample, so that a step has batch / chunk samples. 1, the
            paper's choice, makes the samples of a batch the least correlated.
        learning_rate: Learning rate of the first epoch.
        decay: Factor of the learning rate from one epoch to the next.
        momentum: Batch-norm momentum of the first epoch.
        final_momentum: Batch-norm momentum that the last epoch approaches.
        checkpoint_every: Steps between two checkpoints.
        measure_every: Epochs between two measurements.
    """

    epochs: PositiveInt = 80
    batch: PositiveInt = 1024
    chunk: PositiveInt = 1
    learning_rate: PositiveFloat = 1e-3
    decay: Annotated[float, Field(gt=0, le=1)] = 0.95
    momentum: PositiveFloat = 0.1
    final_momentum: PositiveFloat = 0.001
    checkpoint_every: PositiveInt = 1000
    measure_every: PositiveInt = 1

    @model_validator(mode="after")
    def _several_samples(self) -> Self:
        check_samples(self.batch // self.chunk)
        return self

    def at(self, step: int, steps: int) -> Rates:
        """Return the rates of a step, counted from 0, of `steps`."""
        epoch = step * self.epochs // steps
        return Rates(
            self.learning_rate * self.decay**epoch,
            _decayed(self.momentum, self.final_momentum, epoch / self.epochs),
        )


def check_samples(samples: int) -> None:
    """Raise `ValueError` if a batch has too few samples for batch normalisation."""
    if samples < 2:
        raise ValueError("a batch needs two samples at least, for batch normalisation")


def _decayed(start: float, end: float, done: float) -> float:
    return float(start * (end / start) ** done)
