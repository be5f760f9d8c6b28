"""The recordings that a training configuration names: whom to train on, and whom to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import InputError, UsageError
from ..datasets import human36m as h36m
from ..datasets import humaneva
from ..datasets.config import RecordingsConfig
from ..datasets.human36m import load_h36m
from ..datasets.humaneva import load_humaneva
from ..datasets.recordings import Recording, RecordingSet
from ..simulation.studio import read_studio


@dataclass(frozen=True)
class DataSet:
    """A data set by name.

    read: the configuration and the data's folder → recordings to train on, and to measure on (None where
    nobody is left for it). licence: what may be done with what was trained on it.
    """

    read: Callable[[RecordingsConfig, Path], tuple[RecordingSet, RecordingSet | None]]
    licence: str


def load_recordings(config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
    """Read what the configuration names: recordings to train on, and to measure on (None if there are none).

    `downsample` holds for both, `subset` for training only. Raises `UsageError` for an unknown data set or a
    subject in both parts, and `InputError` where a file is missing or is not what it should be.
    """
    train, test = data_set(config).read(config, folder)
    train = thin(train, downsample=config.downsample, subset=config.subset)
    return train, test and thin(test, downsample=config.downsample)


def data_set(config: RecordingsConfig) -> DataSet:
    """The configured one. Raises `UsageError` for an unknown name."""
    try:
        return DATA_SETS[config.data_set]
    except KeyError as error:
        raise UsageError(
            f"recordings.data_set: no {config.data_set!r}; there is {', '.join(DATA_SETS)}"
        ) from error


def thin(data: RecordingSet, *, downsample: int = 1, subset: float = 1.0) -> RecordingSet:
    """Keep every `downsample`-th frame of one unbroken span, `subset` of each recording.

    Where the span begins depends on the recording's length alone, as in the published code, so all cameras of
    a clip keep the same frames. Recordings of which nothing is left are left out. Raises `UsageError` where
    none remains.
    """
    kept = [r for r in (_thin(r, downsample, subset) for r in data.recordings) if r is not None]
    if not kept:
        raise UsageError("recordings.subset: nothing is left; take a larger one")
    return replace(data, recordings=tuple(kept), rate=data.rate / downsample)


def _thin(recording: Recording, downsample: int, subset: float) -> Recording | None:
    frames, start = len(recording), 0
    if subset < 1:
        length = round(frames // downsample * subset) * downsample
        chance = int.from_bytes(hashlib.sha256(str(frames).encode()).digest()[:4], "little") / (2**32 - 1)
        start = int(chance * (frames - length + 1))
        frames = length
    if not frames:
        return None
    kept = slice(start, start + frames, downsample)
    return replace(
        recording, keypoints=recording.keypoints[kept], pose=recording.pose[kept], root=recording.root[kept]
    )


def _read_h36m(config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
    train, test = _subjects(config, h36m.TRAIN_SUBJECTS, h36m.TEST_SUBJECTS)
    poses = _present(folder / "data_3d_h36m.npz", "`videopose prepare h36m` makes it")
    keypoints = _keypoints(folder, "h36m", config.keypoints)
    data = load_h36m(poses, keypoints, subjects=(*train, *test), activities=config.activities)
    return _split(data, train, test)


def _read_humaneva(config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
    train, test = _subjects(config, humaneva.TRAIN_SUBJECTS, humaneva.TEST_SUBJECTS)
    poses = _present(folder / "data_3d_humaneva15.npz", "`videopose prepare humaneva` makes it")
    keypoints = _keypoints(folder, "humaneva15", config.keypoints)
    activities = config.activities or humaneva.ACTIVITIES
    data = load_humaneva(poses, keypoints, subjects=(*train, *test), activities=activities)
    return _split(data, train, test)


DATA_SETS: dict[str, DataSet] = {
    "h36m": DataSet(
        _read_h36m,
        "for academic, non-commercial use only: Human3.6M's licence does not allow commercial use",
    ),
    "humaneva": DataSet(
        _read_humaneva,
        "for research only: HumanEva-I's licence does not allow commercial use",
    ),
    "studio": DataSet(
        read_studio,
        "free for all uses; CMU asks that mocap.cs.cmu.edu be named as where the data was obtained",
    ),
}
"""By the name that a configuration gives."""


def _subjects(
    config: RecordingsConfig, usual_train: Sequence[str], usual_test: Sequence[str]
) -> tuple[Sequence[str], Sequence[str]]:
    train = usual_train if config.train_subjects is None else config.train_subjects
    test = usual_test if config.test_subjects is None else config.test_subjects
    if both := sorted({*train} & {*test}):
        raise UsageError(f"recordings: {', '.join(both)} cannot be both trained and tested on")
    return train, test


def _split(
    data: RecordingSet, train: Sequence[str], test: Sequence[str]
) -> tuple[RecordingSet, RecordingSet | None]:
    parts = [
        replace(data, recordings=tuple(r for r in data.recordings if r.subject in names))
        for names in (train, test)
    ]
    for part, names in zip(parts, (train, test), strict=True):
        if names and not len(part):
            raise UsageError(f"recordings.activities: none of {', '.join(names)}")
    return parts[0], parts[1] if test else None


def _present(path: Path, way_out: str) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such file; {way_out}")
    return path


def _keypoints(folder: Path, data: str, detector: str) -> Path:
    command = "h36m" if data == "h36m" else "humaneva"
    return _present(
        folder / f"data_2d_{data}_{detector}.npz",
        f"`videopose prepare {command}` makes it"
        if detector == "gt"
        else "these detections have to be put there (VideoPose3D's DATASETS.md says where to get them)",
    )
