"""The interface of datasets for training: files, people to train on, and people to measure on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ...errors import InputError, UsageError
from .config import RecordingsConfig
from .recordings import RecordingSet


class Dataset(Protocol):
    """A dataset that a training configuration can name."""

    @property
    def licence(self) -> str:
        """The permitted uses of a lifter that was trained on it, in words."""

    def read(self, config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
        """Read recordings to train on, and recordings to measure on (None if no people are left for that).

        Raises:
            InputError: If a file is missing or is not what it should be.
            UsageError: If the configuration does not fit the dataset.
        """


class Load(Protocol):
    """Reads recordings from a file of poses and a file of keypoints."""

    def __call__(
        self,
        poses: str | os.PathLike[str],
        keypoints: str | os.PathLike[str],
        *,
        subjects: Sequence[str] | None = None,
        activities: Sequence[str] | None = None,
    ) -> RecordingSet:
        """Read the recordings of some people and activities; None for all."""


@dataclass(frozen=True)
class FileDataset:
    """A `Dataset` in VideoPose3D's files, `data_3d_<stem>.npz` and `data_2d_<stem>_<detector>.npz`.

    Attributes:
        stem: The part of the files' names that is the dataset's.
        load: Reads the files.
        train_subjects: The usual training subjects in publications.
        test_subjects: The usual test subjects in publications.
        activities: The activities that are read unless others are named; None for all.
        prepare: The command of `videopose prepare` that writes the files.
        licence: The permitted uses of a lifter that was trained on it, in words.
    """

    stem: str
    load: Load
    train_subjects: tuple[str, ...]
    test_subjects: tuple[str, ...]
    activities: tuple[str, ...] | None
    prepare: str
    licence: str

    def read(self, config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
        """Read recordings to train on, and recordings to measure on (None if no people are left for that).

        Raises:
            InputError: If a file is missing or is not what it should be.
            UsageError: If a person would be both trained and measured on, or no recording is left.
        """
        train = self.train_subjects if config.train_subjects is None else config.train_subjects
        test = self.test_subjects if config.test_subjects is None else config.test_subjects
        if both := sorted({*train} & {*test}):
            raise UsageError(f"recordings: {', '.join(both)} cannot be both trained and tested on")
        made = f"`videopose prepare {self.prepare}` makes it"
        poses = _existing(folder / f"data_3d_{self.stem}.npz", made)
        keypoints = _existing(
            folder / f"data_2d_{self.stem}_{config.keypoints}.npz",
            made
            if config.keypoints == "gt"
            else "put these detections there (VideoPose3D's DATASETS.md says where to get them)",
        )
        data = self.load(
            poses, keypoints, subjects=(*train, *test), activities=config.activities or self.activities
        )
        return _people(data, train), _people(data, test) if test else None


def _existing(path: Path, way_out: str) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such file; {way_out}")
    return path


def _people(data: RecordingSet, subjects: Sequence[str]) -> RecordingSet:
    """The recordings of some people."""
    part = replace(data, recordings=tuple(r for r in data.recordings if r.subject in subjects))
    if subjects and not len(part):
        raise UsageError(f"recordings.activities: none of {', '.join(subjects)}")
    return part
