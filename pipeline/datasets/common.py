"""What all preparations of data sets share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ..paths import check_free

Failed = Callable[[Exception], None]
"""Told of each file that cannot be read; the others go on."""


_ELSEWHERE = "--output FILE"


Poses = dict[str, dict[str, NDArray[np.float32]]]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def _beside(output: Path, name: str, *, overwrite: bool) -> Path:
    """Where the keypoints go, once both results are known to be free."""
    keypoints = output.with_name(name)
    if output.name == name:
        raise UsageError(f"{name} is the name of the keypoints, which go beside the poses; give another")
    check_free([output, keypoints], overwrite=overwrite, elsewhere=_ELSEWHERE)
    return keypoints


def _check_any(poses: Mapping[str, object], folder: Path) -> None:
    if not poses:
        raise InputError(f"no file under {folder} could be read")
