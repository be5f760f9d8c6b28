"""The recordings that a training configuration names: some to train on, some to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import UsageError
from ..datasets import human36m, humaneva
from ..datasets.config import RecordingsConfig
from ..datasets.dataset import Dataset
from ..datasets.recordings import Recording, RecordingSet
from ..simulation import studio

DATASETS: Mapping[str, Dataset] = {
    "h36m": human36m.DATASET,
    "humaneva": humaneva.DATASET,
    "studio": studio.DATASET,
}
"""Datasets by the name that a configuration gives. A new dataset is one module with a `DATASET`, and one line
here."""


def load_recordings(config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
    """Read the recordings that a configuration names.

    Args:
        config: `downsample` holds for all recordings, `subset` for those to train on.
        folder: Holds the dataset's files.

    Returns:
        Recordings to train on, and recordings to measure on (None if there are none).

    Raises:
        UsageError: If the dataset is not known, a person would be both trained and measured on, or no
            recording is left.
        InputError: If a file is missing or is not what it should be.
    """
    train, test = find_dataset(config).read(config, folder)
    train = thin(train, downsample=config.downsample, subset=config.subset)
    return train, test and thin(test, downsample=config.downsample)


def find_dataset(config: RecordingsConfig) -> Dataset:
    """Return the dataset that a configuration names.

    Raises:
        UsageError: If it is not known.
    """
    try:
        return DATASETS[config.data_set]
    except KeyError as error:
        raise UsageError(
            f"recordings.data_set: no {config.data_set!r}; there is {', '.join(DATASETS)}"
        ) from error


def thin(data: RecordingSet, *, downsample: int = 1, subset: float = 1.0) -> RecordingSet:
    """Keep a part of the frames of each recording.

    Where the span begins depends only on the recording's length, as in VideoPose3D. So all cameras of a clip
    keep the same frames. Recordings of which no frame is left are left out.

    Args:
        data: The recordings.
        downsample: Keep every `downsample`-th frame.
        subset: Keep this share of the frames, as one unbroken span.

    Raises:
        UsageError: If no recording is left.
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
