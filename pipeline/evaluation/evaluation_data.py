"""What a lifter is measured on, whatever the data set: the words that sources of data and reports share."""

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

    data: files, or folders of them. keypoints: of studio recordings, a detector's name or a file; None where
    there is only one. subjects, actions: only these (empty: all that may be measured on). everybody: people
    whom the lifter was trained on, too. flip: also with flip augmentation. true_2d: perfect keypoints.
    seeds, cameras: of motion capture, how many random draws, and cameras a clip in each; severity: a factor
    on all that the simulated detector does to its keypoints. lifter_layout, lifter_causal: see `load_lifter`.
    """

    lifter: str
    data: tuple[Path, ...]
    keypoints: str | None = None
    subjects: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    everybody: bool = False
    flip: bool = True
    seeds: int = 3
    cameras: int = 1
    severity: float = 1.0
    true_2d: bool = False
    device: str = "auto"
    lifter_layout: str | None = None
    lifter_causal: bool = False

    @property
    def flips(self) -> tuple[bool, ...]:
        """With flip augmentation and without, or only without."""
        return (True, False) if self.flip else (False,)


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper. actions: what its columns are called, in its order. by_person: every action has a
    column for each person (Table 4)."""

    actions: Mapping[str, str]
    by_person: bool = False


@dataclass(frozen=True)
class Material:
    """What a lifter is measured on.

    name: the data's. facts: how it was chosen and seen, by column of the CSV file. notes: the same in words.
    lifts: the lifter with flip augmentation and without. views: seed → sequences, `count` of them. seeds:
    those to draw; none where nothing is left to chance. skeleton: of the poses. people: in the order to show.
    paper: the table to compare with.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    lifts: Mapping[bool, Lift]
    views: Callable[[int], Iterable[Sequence3D]]
    count: int
    seeds: tuple[int, ...] = ()
    skeleton: Skeleton = H36M17
    people: tuple[str, ...] = ()
    paper: PaperTable | None = None


class Source(Protocol):
    """Data from which material can be made: `subjects` and `actions` are all that it has, by name."""

    @property
    def subjects(self) -> frozenset[str]: ...  # noqa: D102

    @property
    def actions(self) -> frozenset[str]: ...  # noqa: D102

    def material(
        self,
        lifter: Lifter,
        options: EvaluateOptions,
        *,
        subjects: frozenset[str],
        actions: frozenset[str],
    ) -> Material:
        """Of these people and actions (empty: all that may be measured on). Raises `UsageError` where the
        lifter cannot be measured on any."""
        ...
