"""Human3.6M and HumanEva-I to measure a lifter on: their test people, as the paper's tables have them."""

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
    layout_given,
    lift_recorded,
    rate_read,
    recorded_sequences,
)
from ...lifting.inference.lifter import Lifter
from ...skeleton import HUMANEVA15
from ...unpickle import load_object_npz
from .test_data import EvaluateOptions, Material, PaperTable


@dataclass(frozen=True)
class DataSet:
    """A data set that the paper measures on.

    key: its name in a training configuration. train, test: the people whom the field trains and tests on.
    paper: its table; the actions in it are measured on, unless others are named or the lifter was trained on
    fewer.
    """

    key: str
    name: str
    load: Callable[..., RecordingSet]
    train: tuple[str, ...]
    test: tuple[str, ...]
    paper: PaperTable


H36M = DataSet(
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
HUMANEVA = DataSet(
    "humaneva",
    "HumanEva-I",
    humaneva.load_humaneva,
    humaneva.TRAIN_SUBJECTS,
    humaneva.TEST_SUBJECTS,
    PaperTable({"Walking": "Walk", "Jog": "Jog", "Box": "Box"}, by_person=True),
)
_BY_JOINTS = {h36m.NUM_JOINTS: H36M, len(HUMANEVA15): HUMANEVA}


@dataclass(frozen=True)
class Studio:
    """A file of a data set's 3D poses. clips: (person, action) pairs in it. detections: files of keypoints
    that were given with it."""

    path: Path
    data_set: DataSet
    clips: tuple[tuple[str, str], ...]
    detections: tuple[Path, ...]

    @classmethod
    def recognise(cls, path: Path, detections: Sequence[Path]) -> Studio:
        """Which data set's, the number of joints says. Raises `InputError` where it is none's."""
        people: Any = load_object_npz(path).get("positions_3d")
        try:
            clips = tuple((str(s), str(a)) for s, actions in people.items() for a in actions)
            (joints,) = {np.shape(p)[1] for actions in people.values() for p in actions.values()}
            return cls(path, _BY_JOINTS[joints], clips, tuple(detections))
        except Exception as error:  # whatever the objects turn out to be
            known = " or ".join(f"{data_set.name}'s {joints}" for joints, data_set in _BY_JOINTS.items())
            raise InputError(f"{path} is not a file of 3D poses with {known} joints") from error

    @property
    def subjects(self) -> frozenset[str]:
        """Everybody in it."""
        return frozenset(subject for subject, _ in self.clips)

    @property
    def actions(self) -> frozenset[str]:
        """Everything that they do, all trials of it under one name."""
        return frozenset(activity(action) for _, action in self.clips)

    def material(
        self,
        lifter: Lifter,
        options: EvaluateOptions,
        *,
        subjects: frozenset[str],
        actions: frozenset[str],
    ) -> Material:
        """See `Source.material`. Raises `InputError` for files that do not fit together."""
        people = self._people(subjects, everybody=options.everybody)
        role = self._role(people, lifter, everybody=options.everybody)
        does = {activity(action) for subject, action in self.clips if subject in people}
        usual = _recordings(lifter.about, self.data_set).get("activities") or self.data_set.paper.actions
        kinds = (actions or {*usual} & does or does) & does
        if not kinds:
            raise UsageError(f"{self.path}: no clip of these subjects and actions")
        if options.true_2d and options.keypoints:
            raise UsageError("--true-2d means --keypoints gt; give one of them")
        keypoints = self._keypoints("gt" if options.true_2d else options.keypoints)
        data = self.data_set.load(self.path, keypoints, subjects=people, activities=sorted(kinds))
        given, rate = layout_given(data, lifter), rate_read(lifter, data.rate)
        clips = {(r.subject, r.action) for r in data.recordings}
        frames = sum(len(r) for r in data.recordings)
        read = f", read at {rate:g}, which the lifter is made for" if rate != data.rate else ""
        converted = f", converted from {given.name} to {lifter.layout}" if given.name != lifter.layout else ""
        return Material(
            self.data_set.name,
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
            paper=self.data_set.paper,
        )

    def _people(self, named: frozenset[str], *, everybody: bool) -> list[str]:
        """Whom to measure on, test people first. Raises `UsageError` where nobody is left."""
        wanted = named or (self.subjects if everybody else {*self.data_set.test})
        order = dict.fromkeys((*self.data_set.test, *self.data_set.train, *sorted(self.subjects)))
        people = [s for s in order if s in wanted & self.subjects]
        if not people:
            raise UsageError(
                f"{self.path}: none of {', '.join(sorted(wanted))} in it; there are "
                f"{', '.join(sorted(self.subjects))}"
            )
        return people

    def _role(self, people: Sequence[str], lifter: Lifter, *, everybody: bool) -> str:
        """Who the people are to the lifter. Raises `UsageError` for training people, unless `everybody`.

        Where its file does not say whom it was trained on, those whom the field trains on count as such.
        """
        learned = trained_on(lifter.about, self.data_set)
        trained = sorted({*people} & ({*self.data_set.train} if learned is None else learned))
        if trained and not everybody:
            said = "was" if learned else "does not say whom it was trained on, and the field's are"
            raise UsageError(
                f"{self.path}: the lifter {said} trained on {', '.join(trained)}, and an error on training "
                "people is no measurement; --subjects chooses others, --all-subjects measures all the same"
            )
        if trained:
            return "people the lifter was trained on among them: no measure of its accuracy"
        if learned is None:
            return "whom the field tests on; the lifter's file does not say whom it was trained on"
        return (
            "kept out of the lifter's training" if learned else "unseen: the lifter was trained on other data"
        )

    def _keypoints(self, choice: str | None) -> Path:
        """The file of keypoints: as named, or the only one given, or the only one beside the poses. Raises
        `UsageError` where that does not decide, `InputError` where there is none."""
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


def trained_on(about: Mapping[str, Any], data_set: DataSet) -> frozenset[str] | None:
    """The data set's people whom a lifter has learned from, by what its file says; None where it does not."""
    if recordings := _recordings(about, data_set):
        return frozenset(about.get("training_subjects") or recordings.get("train_subjects") or data_set.train)
    return frozenset() if about.get("training_data") else None


def _recordings(about: Mapping[str, Any], data_set: DataSet) -> Mapping[str, Any]:
    """What a lifter's training configuration says of the data set, if anything."""
    recordings = (about.get("config") or {}).get("recordings") or {}
    return recordings if recordings.get("data_set") == data_set.key else {}
