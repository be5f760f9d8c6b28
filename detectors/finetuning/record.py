"""The record of a training run, which the caller of detectron2's loop brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class TrainingRecord(Protocol):
    """How far a run has come and how it went.

    `lifting.training.training_state.TrainingState` is one. Detectors do not import `lifting`, so they name
    what they need of it.

    Attributes:
        step: Iterations that are done.
        learning_rate: Learning rate of the last iteration.
    """

    step: int
    learning_rate: float

    def add_losses(self, losses: Sequence[float]) -> None:
        """Add the losses of the last iterations, up to and including `step`."""

    def add_measurement(self, values: Mapping[str, float]) -> None:
        """Add what was measured after the last iteration, by name."""

    def state_dict(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
