"""The types of lifter evaluation: options, and the data that a lifter is measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...lifting.evaluation.scores import Lift, Sequence3D
from ...lifting.inference.lifter import Lifter
from ...skeleton import H36M17, Skeleton


@dataclass(frozen=True)
class EvaluateOptions:
    """What to measure, and how.

    Attributes:
        lifter: Name or file of the lifter.
        data: Files, or folders of them.
        keypoints: Of Human3.6M and HumanEva-I: a detector's name or a file; None if there is only one.
        subjects: Only these people; empty for all that the lifter may be measured on.
        actions: Only these actions; empty for all.
        all_subjects: Include people that the lifter was trained on.
        flip: Measure with flip augmentation too.
        seeds: Of motion capture: number of random samples of cameras and detections.
        cameras: Of motion capture: cameras per clip and seed.
        severity: Of motion capture: factor on all errors of the simulated detector.
        true_2d: Use perfect keypoints.
        yardsticks: Also measure far poses, recombined motion, near cameras and hidden limbs.
        device: Where the lifter runs.
        lifter_layout: See `load_lifter`.
        lifter_causal: See `load_lifter`.
    """

    lifter: str
    data: tuple[Path, ...]
    keypoints: str | None = None
    subjects: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    all_subjects: bool = False
    flip: bool = True
    seeds: int = 3
    cameras: int = 1
    severity: float = 1.0
    true_2d: bool = False
    yardsticks: bool = False
    device: str = "auto"
    lifter_layout: str | None = None
    lifter_causal: bool = False

    @property
    def flips(self) -> tuple[bool, ...]:
        """Whether to lift with flip augmentation: with and without, or only without."""
        return (True, False) if self.flip else (False,)


@dataclass(frozen=True)
class PaperTable:
    """The layout of a table in the paper.

    Attributes:
        actions: Headings of the columns by action, in the table's order.
        by_person: Every action has a column for each person (Table 4).
    """

    actions: Mapping[str, str]
    by_person: bool = False


@dataclass(frozen=True)
class EvaluationData:
    """What a lifter is measured on.

    Attributes:
        name: Name of the data.
        facts: How the data was selected and prepared, by column of the CSV file.
        notes: The same in words.
        lifts: The lifter with flip augmentation (True) and without.
        sequences: Function from a seed to sequences.
        count: Number of sequences for one seed.
        seeds: The seeds; none if nothing is random.
        skeleton: Skeleton of the poses.
        people: People in the order of the report.
        paper: The table of the paper to compare with.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    lifts: Mapping[bool, Lift]
    sequences: Callable[[int], Iterable[Sequence3D]]
    count: int
    seeds: tuple[int, ...] = ()
    skeleton: Skeleton = H36M17
    people: tuple[str, ...] = ()
    paper: PaperTable | None = None


class EvaluationSource(Protocol):
    """A dataset to measure on; `subjects` and `actions` are the names of all its people and actions."""

    @property
    def subjects(self) -> frozenset[str]: ...  # noqa: D102

    @property
    def actions(self) -> frozenset[str]: ...  # noqa: D102

    def select(
        self,
        lifter: Lifter,
        options: EvaluateOptions,
        *,
        subjects: frozenset[str],
        actions: frozenset[str],
    ) -> EvaluationData:
        """Select the data of some people and actions. Empty sets select all that the lifter may be measured
        on.

        Raises:
            UsageError: The lifter cannot be measured on any of them.
        """
        ...
