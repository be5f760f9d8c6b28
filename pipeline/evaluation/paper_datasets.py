"""Measure a lifter on the test people of Human3.6M and HumanEva-I, as in the paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, UsageError
from ...lifting.datasets import human36m as h36m
from ...lifting.datasets import humaneva
from ...lifting.datasets.recordings import RecordingSet, activity
from ...lifting.evaluation.recorded_sequences import (
    check_layout,
    lift_recorded,
    rate_read,
    recorded_sequences,
)
from ...lifting.inference.lifter import Lifter
from ...skeleton import HUMANEVA15
from ...unpickle import load_object_npz
from .evaluation_data import EvaluateOptions, EvaluationData, PaperTable


@dataclass(frozen=True)
class PaperDataset:
    """A dataset that the paper measures on.

    Attributes:
        key: Its name in a training configuration.
        name: Its name in words.
        load: Function that reads its files.
        train: The people that are usually trained on.
        test: The people that are usually measured on.
        paper: Its table in the paper. The actions of the table are measured, unless others are named or the
            lifter was trained on fewer.
    """

    key: str
    name: str
    load: Callable[..., RecordingSet]
    train: tuple[str, ...]
    test: tuple[str, ...]
    paper: PaperTable


H36M = PaperDataset(
    "h36m",
    "Human3.6M",
    h36m.load_h36m,
    h36m.TRAIN_SUBJECTS,
    h36m.TEST_SUBJECTS,
    PaperTable(
        {
            "Directions": "Dir.",
            "Discussion": "Disc.",
            "Eating": "Eat",
            "Greeting": "Greet",
            "Phoning": "Phone",
            "Photo": "Photo",
            "Posing": "Pose",
            "Purchases": "Purch.",
            "Sitting": "Sit",
            "SittingDown": "SitD.",
            "Smoking": "Smoke",
            "Waiting": "Wait",
            "WalkDog": "WalkD.",
            "Walking": "Walk",
            "WalkTogether": "WalkT.",
        }
    ),
)
HUMANEVA = PaperDataset(
    "humaneva",
    "HumanEva-I",
    humaneva.load_humaneva,
    humaneva.TRAIN_SUBJECTS,
    humaneva.TEST_SUBJECTS,
    PaperTable({"Walking": "Walk", "Jog": "Jog", "Box": "Box"}, by_person=True),
)
_BY_JOINTS = {h36m.NUM_JOINTS: H36M, len(HUMANEVA15): HUMANEVA}


@dataclass(frozen=True)
class PaperData:
    """A file of 3D poses of such a dataset; an `EvaluationSource`.

    Attributes:
        path: The file.
        dataset: The dataset that it belongs to.
        clips: Pairs of (person, action) in the file.
        detections: Files of keypoints that were given with it.
    """

    path: Path
    dataset: PaperDataset
    clips: tuple[tuple[str, str], ...]
    detections: tuple[Path, ...]

    @classmethod
    def recognise(cls, path: Path, detections: Sequence[Path]) -> PaperData:
        """Recognise the dataset by the number of joints.

        Raises:
            InputError: It is not a known dataset.
        """
        people: Any = load_object_npz(path).get("positions_3d")
        try:
            clips = tuple((str(s), str(a)) for s, actions in people.items() for a in actions)
            (joints,) = {np.shape(p)[1] for actions in people.values() for p in actions.values()}
            return cls(path, _BY_JOINTS[joints], clips, tuple(detections))
        except Exception as error:  # the file may contain objects of any type
            known = " or ".join(f"{dataset.name}'s {joints}" for joints, dataset in _BY_JOINTS.items())
            raise InputError(f"{path} is not a file of 3D poses with {known} joints") from error

    @property
    def subjects(self) -> frozenset[str]:
        """All people in the file."""
        return frozenset(subject for subject, _ in self.clips)

    @property
    def actions(self) -> frozenset[str]:
        """All actions in the file; trials of one action share its name."""
        return frozenset(activity(action) for _, action in self.clips)

    def select(
        self,
        lifter: Lifter,
        options: EvaluateOptions,
        *,
        subjects: frozenset[str],
        actions: frozenset[str],
    ) -> EvaluationData:
        """See `EvaluationSource.select`.

        Raises:
            UsageError: The lifter cannot be measured on this data.
            InputError: Poses and keypoints do not belong together.
        """
        people = self._people(subjects, all_subjects=options.all_subjects)
        role = self._role(people, lifter, all_subjects=options.all_subjects)
        does = {activity(action) for subject, action in self.clips if subject in people}
        usual = _recordings(lifter.about, self.dataset).get("activities") or self.dataset.paper.actions
        kinds = (actions or {*usual} & does or does) & does
        if not kinds:
            raise UsageError(f"{self.path}: no clip of these subjects and actions")
        if options.true_2d and options.keypoints:
            raise UsageError("--true-2d means --keypoints gt; give one of them")
        keypoints = self._keypoints("gt" if options.true_2d else options.keypoints)
        data = self.dataset.load(self.path, keypoints, subjects=people, activities=sorted(kinds))
        given, rate = check_layout(data, lifter), rate_read(lifter, data.rate)
        clips = {(r.subject, r.action) for r in data.recordings}
        frames = sum(len(r) for r in data.recordings)
        read = f", read at {rate:g}, which the lifter is made for" if rate != data.rate else ""
        converted = f", converted from {given.name} to {lifter.layout}" if given.name != lifter.layout else ""
        return EvaluationData(
            self.dataset.name,
            {
                "people": role,
                "keypoints": self._detector(keypoints),
                "rate_hz": f"{rate:g}",
                "cameras_a_clip": f"{len(data) / len(clips):g}",
            },
            (
                f"people: {', '.join(people)} ({role})",
                f"recordings: {len(data)} of {len(clips)} clips, {frames:,} frames at {data.rate:g} a second"
                + read,
                f"keypoints: {keypoints.name}{converted}",
            ),
            {flip: lift_recorded(lifter, flip=flip, skeleton=data.skeleton) for flip in options.flips},
            lambda seed: recorded_sequences(data, lifter),
            len(data),
            skeleton=data.skeleton,
            people=tuple(people),
            paper=self.dataset.paper,
        )

    def _people(self, named: frozenset[str], *, all_subjects: bool) -> list[str]:
        """Return the people to measure on, test people first. Raises `UsageError` if none is left."""
        wanted = named or (self.subjects if all_subjects else {*self.dataset.test})
        order = dict.fromkeys((*self.dataset.test, *self.dataset.train, *sorted(self.subjects)))
        people = [s for s in order if s in wanted & self.subjects]
        if not people:
            raise UsageError(
                f"{self.path}: none of {', '.join(sorted(wanted))} in it; there are "
                f"{', '.join(sorted(self.subjects))}"
            )
        return people

    def _role(self, people: Sequence[str], lifter: Lifter, *, all_subjects: bool) -> str:
        """Return the people's part in the lifter's training, in words.

        Raises `UsageError` if the lifter was trained on one of them, unless `all_subjects`.
        If its file does not name them, the usual training people count as such.
        """
        learned = trained_on(lifter.about, self.dataset)
        trained = sorted({*people} & ({*self.dataset.train} if learned is None else learned))
        if trained and not all_subjects:
            said = "was" if learned else "does not name its training people, and is usually"
            raise UsageError(
                f"{self.path}: the lifter {said} trained on {', '.join(trained)}, and an error on training "
                "people is no measurement; --subjects chooses others, --all-subjects measures on them too"
            )
        if trained:
            return "the lifter was trained on some of them: no measure of its accuracy"
        if learned is None:
            return "the usual test people; the lifter's file does not name its training people"
        return (
            "held out of the lifter's training"
            if learned
            else "held out: the lifter was trained on other data"
        )

    def _keypoints(self, choice: str | None) -> Path:
        """Return the file of keypoints: the chosen one, the only one given, or the only one beside the poses.

        Raises `UsageError` if there are several, `InputError` if there is none.
        """
        if choice and choice.endswith(".npz"):
            return Path(choice)
        files = [path for path in self.detections if path.name.startswith(self._prefix)]
        if choice or not files:
            files += sorted(self.path.parent.glob(f"{self._prefix}*.npz"))
        found = {self._detector(path): path for path in files}
        names = ", ".join(found)
        if not found:
            raise InputError(f"{self.path}: no {self._prefix}….npz beside it; name one by --keypoints FILE")
        if choice is None and len(found) > 1:
            raise UsageError(
                f"{self.path}: there are several detectors' keypoints; choose by --keypoints: {names}"
            )
        if choice is not None and choice not in found:
            raise UsageError(f"{self.path}: no --keypoints {choice} beside it; there is {names}")
        return found[choice or next(iter(found))]

    @property
    def _prefix(self) -> str:
        return f"data_2d_{self.path.stem.removeprefix('data_3d_')}_"

    def _detector(self, keypoints: Path) -> str:
        return keypoints.stem.removeprefix(self._prefix)


def trained_on(about: Mapping[str, Any], dataset: PaperDataset) -> frozenset[str] | None:
    """Return the people of the dataset that a lifter was trained on; None if its file does not name them."""
    if recordings := _recordings(about, dataset):
        return frozenset(about.get("training_subjects") or recordings.get("train_subjects") or dataset.train)
    return frozenset() if about.get("training_data") else None


def _recordings(about: Mapping[str, Any], dataset: PaperDataset) -> Mapping[str, Any]:
    """Return the part of a lifter's training configuration about the dataset; empty if there is none."""
    recordings = (about.get("config") or {}).get("recordings") or {}
    return recordings if recordings.get("data_set") == dataset.key else {}
