"""Read labeled motion for semi-supervised training: motion-capture tables, or the 3D files of datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError, UsageError
from ..lifting.datasets import human36m as h36m
from ..lifting.datasets import humaneva
from ..lifting.datasets.motion_capture import MotionCapture
from ..lifting.datasets.videopose3d_files import load_positions_3d
from ..lifting.training.recorded_data import DATASETS
from ..skeleton import HUMANEVA15
from .poses_to_motion import humaneva_to_h36m, motion_of


def read_labeled(path: Path) -> tuple[MotionCapture, str]:
    """Read motion capture, and its licence in words, from a file or from all files of a folder.

    A file is a motion-capture table as `videopose train` reads it, Human3.6M's `data_3d_h36m.npz`, or
    HumanEva-I's `data_3d_humaneva15.npz`. Of the two datasets, only the training subjects are read.

    Raises:
        InputError: There is no such file, or it cannot be read.
        UsageError: The files have different frame rates.
    """
    files = labeled_files(path)
    readers: dict[str, Callable[[Path], MotionCapture]] = {
        "data_3d_h36m.npz": _read_h36m,
        "data_3d_humaneva15.npz": _read_humaneva,
    }
    tables = [readers.get(file.name, MotionCapture.load)(file) for file in files]
    if len({table.rate for table in tables}) > 1:
        raise UsageError(f"{path}: motion of different frame rates; give one file by --labeled")
    datasets = {"data_3d_h36m.npz": "h36m", "data_3d_humaneva15.npz": "humaneva"}
    licences = {DATASETS[datasets[file.name]].licence for file in files if file.name in datasets}
    return joined(tables), "; ".join(sorted(licences)) or "that of the motion capture given by --labeled"


def labeled_files(path: Path) -> list[Path]:
    """Return a file, or all motion-capture files of a folder.

    Raises:
        InputError: The folder has none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.glob("*.npz") if not f.name.startswith("data_2d_"))
    if not files:
        raise InputError(
            f"{path}: no motion capture in this folder (looked for .npz files); `videopose prepare` makes one"
        )
    return files


def joined(tables: Sequence[MotionCapture]) -> MotionCapture:
    """Return several tables of one frame rate as one."""
    names = ("names", "subjects", "actions", "sources")
    return MotionCapture(
        np.concatenate([table.positions for table in tables]),
        np.concatenate([table.lengths for table in tables]),
        tables[0].rate,
        *(tuple(v for table in tables for v in getattr(table, name)) for name in names),
    )


def _read_h36m(path: Path) -> MotionCapture:
    positions = load_positions_3d(path, h36m.NUM_JOINTS)
    takes = [
        (subject, action, h36m.to_17_joints(world))
        for subject in h36m.TRAIN_SUBJECTS
        for action, world in positions.get(subject, {}).items()
    ]
    return motion_of(takes, h36m.RATE, path.name)


def _read_humaneva(path: Path) -> MotionCapture:
    positions = load_positions_3d(path, len(HUMANEVA15))
    takes = [
        (subject, action, humaneva_to_h36m(world[first:last]))
        for subject in humaneva.TRAIN_SUBJECTS
        for action, world in positions.get(subject, {}).items()
        for first, last, good in humaneva.chunks(np.asarray(np.isfinite(world).all((1, 2))))
        if good
    ]
    return motion_of(takes, humaneva.RATE, path.name)
