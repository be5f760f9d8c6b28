"""Checks that the preparations of all datasets share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ..paths import check_free

Poses = dict[str, dict[str, NDArray[np.float32]]]
"""{subject: {action: (T, J, 3) world coordinates, metres}}"""

OUTPUT_OPTION = "--output FILE"


def check_folder(folder: Path) -> None:
    """Check that a folder exists.

    Raises:
        InputError: If it does not.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def keypoints_beside(output: Path, name: str, *, overwrite: bool) -> Path:
    """Return the path of the keypoints, in the folder of the poses.

    Args:
        output: The file of the poses.
        name: The name of the file of keypoints.
        overwrite: Whether existing results may be replaced.

    Raises:
        UsageError: If both files would have the same name.
        OutputError: If a result exists and may not be replaced.
    """
    keypoints = output.with_name(name)
    if output.name == name:
        raise UsageError(f"{name} is the name of the file of keypoints; give the poses another (--output)")
    check_free([output, keypoints], overwrite=overwrite, elsewhere=OUTPUT_OPTION)
    return keypoints


def check_any_read(poses: Mapping[str, object], folder: Path) -> None:
    """Check that at least one file could be read.

    Raises:
        InputError: If none could.
    """
    if not poses:
        raise InputError(f"no file under {folder} could be read")
