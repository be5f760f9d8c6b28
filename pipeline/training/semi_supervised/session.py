"""Train both networks of a semi-supervised run, for all kinds of data, and show the progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ....lifting.inference.lifter import Lifter
from ....lifting.training.batch import BatchSource
from ....lifting.training.training_state import TrainingState
from ....semi.batches import UnlabeledBatches
from ....semi.config import AnySemiConfig
from ....semi.networks import PoseAndTrajectory
from ....semi.training import train_semi_supervised
from ...progress import Progress
from ..report import ProgressReporter, say_errors


@dataclass(frozen=True, kw_only=True)
class SemiSession:
    """The parts of a semi-supervised training run.

    Attributes:
        config: Losses, schedule and other settings.
        networks: The networks that are trained.
        labeled: Labeled batches.
        unlabeled: Batches of footage.
        measure: Networks → errors by name. None if there is nothing to measure on.
        layout: The keypoint layout that the lifter reads.
        rate: The frame rate that the lifter reads.
    """

    config: AnySemiConfig
    networks: PoseAndTrajectory
    labeled: BatchSource
    unlabeled: UnlabeledBatches
    measure: Callable[[PoseAndTrajectory], dict[str, float]] | None
    layout: str
    rate: float | None

    def train(
        self, output: Path, *, resume: bool, device: str, progress: Progress
    ) -> tuple[PoseAndTrajectory, TrainingState | None]:
        """Return the trained networks and how the training went; None if it was finished before."""
        measure, epoch = self.measure, self.labeled.steps_per_epoch

        def measured(networks: PoseAndTrajectory, step: int) -> dict[str, float]:
            assert measure is not None
            errors = measure(networks)
            say_errors(step, epoch, ", ".join(f"{name} {value:g}" for name, value in errors.items()))
            return errors

        with progress("training", self.labeled.num_steps) as advance:
            reporter = ProgressReporter(advance)
            networks = train_semi_supervised(
                self.config,
                self.networks,
                self.labeled,
                self.unlabeled,
                folder=output,
                resume=resume,
                device=device,
                report=reporter,
                measure=measured if measure else None,
            )
        return networks, reporter.latest

    def lifter(self, networks: PoseAndTrajectory, about: Mapping[str, object] | None = None) -> Lifter:
        """Return the networks as a lifter. `about` is the metadata for its file."""
        return Lifter(
            networks.pose,
            self.layout,
            self.config.input_space,
            self.rate,
            networks.trajectory,
            about=about or {"config": self.config.model_dump(mode="json")},
        )
