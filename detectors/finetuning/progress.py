"""How far a fine-tuning has come, and which one it is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import UsageError
from ..coco.annotations import Annotations
from ..coco.keypoint_names import names_in_files
from .config import Recipe


@dataclass
class Progress:
    """So many iterations of `iterations` are done.

    losses: (iteration, mean loss since the point before). measured: (iteration, AP). running: the losses
    since the last point.
    """

    iterations: int
    iteration: int = 0
    learning_rate: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    measured: list[tuple[int, float]] = field(default_factory=list)
    running: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The highest AP so far; −∞ before the first."""
        return max((ap for _, ap in self.measured if not math.isnan(ap)), default=-math.inf)

    def note(self, loss: float, every: int) -> None:
        """One more iteration; a point of the curve is the mean of `every`. Raises `UsageError` for a loss
        beyond all bounds."""
        self.iteration += 1
        if not math.isfinite(loss):
            raise UsageError(f"training broke down at iteration {self.iteration}: lower the learning rates")
        self.running.append(loss)
        if self.iteration % every == 0:
            self.losses.append((self.iteration, sum(self.running) / len(self.running)))
            self.running.clear()

    def state_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        names = ("iteration", "losses", "measured", "running")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What `state_dict` gave."""
        self.iteration = state["iteration"]
        self.losses = [(iteration, loss) for iteration, loss in state["losses"]]
        self.measured = [(iteration, ap) for iteration, ap in state["measured"]]
        self.running = list(state["running"])


def fingerprint(recipe: Recipe, annotations: Annotations) -> str:
    """Changes with anything that would make a resumed run differ."""
    free = {"evaluate_every", "checkpoint_every", "workers", "flip_test"}
    values = recipe.model_dump(mode="json", exclude=free)
    data = [list(names_in_files(annotations.keypoints)), [person.id for person in annotations.trainable()]]
    return hashlib.sha256(json.dumps([values, data], sort_keys=True).encode()).hexdigest()
