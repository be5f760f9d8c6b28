"""True motion of one person: a clip of a motion-capture table, or of Human3.6M."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...lifting.datasets.human36m import NUM_JOINTS, RATE, to_17_joints
from ...lifting.datasets.motion_capture import MotionCapture
from ...lifting.datasets.videopose3d_files import load_positions_3d

Value = TypeVar("Value")


@dataclass(frozen=True)
class Truth:
    """The true motion of one person.

    Attributes:
        joints: (T, 17, 3) H36M17, metres, z up.
        rate: Frames a second.
    """

    joints: NDArray[np.float64]
    rate: float

    def at(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the joints at these times, (N, 17, 3), linearly between frames; NaN outside of the clip."""
        own = np.arange(len(self.joints)) / self.rate
        flat = self.joints.reshape(len(own), -1)
        columns = [np.interp(seconds, own, column, left=np.nan, right=np.nan) for column in flat.T]
        return np.stack(columns, 1).reshape(len(seconds), 17, 3)


def load_truth(text: str) -> Truth:
    """Read true motion.

    Args:
        text: `FILE:NAME`. Of a motion-capture table (`videopose prepare cmu`), NAME is a clip's name. Of
            Human3.6M's `data_3d_h36m.npz`, it is SUBJECT/ACTION, such as S9/Walking 1. A file of one clip
            needs no name.

    Raises:
        InputError: The file cannot be read.
        UsageError: There is no such clip.
    """
    path, name = _split(text)
    if _holds(path, "positions_3d"):
        positions = load_positions_3d(path, NUM_JOINTS)
        clips = {
            f"{person}/{action}": clip for person, own in positions.items() for action, clip in own.items()
        }
        return Truth(to_17_joints(_choose(path, name, clips)).astype(np.float64), RATE)
    table = MotionCapture.load(path)
    indices = {clip: index for index, clip in enumerate(table.names)}
    return Truth(table.clip(_choose(path, name, indices))[:, :17].astype(np.float64), table.rate)


def _split(text: str) -> tuple[Path, str]:
    """Divide FILE:NAME; the file's own name may have colons, as on Windows."""
    path, colon, name = text.rpartition(":")
    if colon and not os.path.exists(text):
        return Path(path), name
    return Path(text), ""


def _holds(path: Path, name: str) -> bool:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return name in getattr(archive, "files", ())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except Exception as error:  # numpy and zipfile raise many kinds of errors
        raise InputError(
            f"{path} is neither a motion-capture table nor data_3d_h36m.npz ({error})"
        ) from error


def _choose(path: Path, name: str, clips: Mapping[str, Value]) -> Value:
    if not name and len(clips) == 1:
        return next(iter(clips.values()))
    if name in clips:
        return clips[name]
    some = ", ".join(list(clips)[:5]) + (", …" if len(clips) > 5 else "")
    raise UsageError(f"--truth {path}:{name}: expected one of its {len(clips)} clips ({some})")
