"""The interface of a training record, which the caller passes to detectron2's training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class TrainingRecord(Protocol):
    """Progress, losses and measurements of a training run.

    `lifting.training.training_state.TrainingState` implements this protocol. Detectors may not import
    `lifting`, so the attributes and methods that they use are declared here.

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
        """Restore the values that `state_dict` returned."""
