"""Training both networks of a semi-supervised run, whatever it learns from, with its progress shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....lifting.inference.lifter import Lifter
from ....lifting.training.batch import BatchSource
from ....lifting.training.checkpoint import Progress
from ....semi.batches import UnlabelledBatches
from ....semi.config import AnySemiConfig
from ....semi.networks import Networks
from ....semi.training import train
from ...progress import Stage
from ..report import Follower, say_errors


@dataclass(frozen=True)
class Course:
    """What is learned from, and what it is measured on.

    bones: (child, parent) pairs of the poses. measure: the errors of the networks as they are, None where
    there is nobody to measure on. layout, rate: of the lifter.
    """

    config: AnySemiConfig
    networks: Networks
    labelled: BatchSource
    unlabelled: UnlabelledBatches | None
    bones: Sequence[tuple[int, int]]
    measure: Callable[[Networks], dict[str, float]] | None
    layout: str
    rate: float | None

    def lifter(self, networks: Networks, about: Mapping[str, object] | None = None) -> Lifter:
        """The networks, as a lifter."""
        return Lifter(
            networks.pose,
            self.layout,
            self.config.input_space,
            self.rate,
            networks.trajectory,
            about=about or {"config": self.config.model_dump(mode="json")},
        )

    def run(
        self, output: Path, *, resume: bool, device: str, stage: Stage
    ) -> tuple[Networks, Progress | None]:
        """The trained networks and how their training went, None where it was finished before."""
        measure = self.measure

        def measured(networks: Networks, step: int) -> dict[str, float]:
            assert measure is not None
            errors = measure(networks)
            told = ", ".join(f"{name} {value:g}" for name, value in errors.items())
            say_errors(step, self.labelled.epoch, told)
            return errors

        with stage("training", self.labelled.steps) as advance:
            follower = Follower(advance)
            networks = train(
                self.config,
                self.networks,
                self.labelled,
                self.unlabelled,
                bones=self.bones,
                folder=output,
                resume=resume,
                device=device,
                report=follower,
                measure=measured if measure else None,
            )
        return networks, follower.latest
