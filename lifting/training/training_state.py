"""How far a training run has come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import UsageError

_SAVED = ("step", "learning_rate", "losses", "recent", "history")


@dataclass
class TrainingState:
    """How far a training run has come, and how it went.

    Attributes:
        steps: Steps of the whole run.
        loss_every: Steps that one point of the training curve is the mean of.
        step: Steps that are done.
        learning_rate: Learning rate of the last step.
        losses: The training curve: the mean loss of every `loss_every` steps.
        recent: The losses of the steps after the last point of the curve.
        history: (step, errors by name) of every measurement.
    """

    steps: int
    loss_every: int
    step: int = 0
    learning_rate: float = 0.0
    losses: list[float] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    @property
    def curve(self) -> list[tuple[int, float]]:
        """(step, mean loss since the point before) of every point of the training curve."""
        return [(self.loss_every * (i + 1), loss) for i, loss in enumerate(self.losses)]

    def add_losses(self, losses: Sequence[float]) -> None:
        """Add the losses of the last steps, up to and including `step`.

        Raises:
            UsageError: A loss is infinite or not a number.
        """
        for number, loss in enumerate(losses, self.step - len(losses) + 1):
            if not math.isfinite(loss):
                raise UsageError(
                    f"training broke down at step {number}: the loss is {loss}; lower the learning rates"
                )
            self.recent.append(loss)
            if len(self.recent) == self.loss_every:
                self.losses.append(sum(self.recent) / self.loss_every)
                self.recent.clear()

    def add_measurement(self, values: Mapping[str, float]) -> None:
        """Add what was measured after the last step, by name."""
        self.history.append((self.step, dict(values)))

    def state_dict(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""
        return {name: getattr(self, name) for name in _SAVED}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        for name in _SAVED:
            setattr(self, name, state[name])
