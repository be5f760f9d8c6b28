"""Read the arrays of a pose table's file, in memory that is bounded by its own rows.

A still person compresses a hundredfold, so the size of the file says little of most arrays. But tracks and
frames have to rise, which takes more than a byte of the file for each row. They are read first; then every
other array has to have as many rows, and its header is looked at before memory is allocated for it.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bounded import RATIO, Arrays

ROWS: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "track": ((), np.int32),
    "frame": ((), np.int32),
    "keypoints": ((17, 3), np.float32),
    "pose": ((17, 3), np.float32),
    "root": ((3,), np.float32),
    "filled": ((), np.bool_),
    "confidence": ((17,), np.float32),
    "contact": ((2,), np.float32),
}
"""The arrays with a value for each row: the shape of a value, and its type."""

CAMERA: dict[str, tuple[int, ...]] = {"camera_rotation": (3, 3), "camera_position": (3,)}
"""The arrays with a value for each decoded frame: its shape."""

WORLD = ("confidence", "contact", *CAMERA)
"""The arrays that are missing in tables of earlier versions."""

_INDEX = ("track", "frame", "time")
_SMALL = ("size", "intrinsics", "meta", "extra_names")
_SPARE = 1 << 20  # rows that a table may have beyond one for each byte of its file
_SMALL_SPARE = 16 << 20  # bytes that descriptions may unpack to, beyond `RATIO` times the size of the file
_MOST_EXTRA = 1024  # further keypoints; whole bodies with hands and faces have 133


def check_index(track: NDArray[Any], frame: NDArray[Any], time: NDArray[Any]) -> None:
    """Check the rows of a table, and the times of its frames.

    Args:
        track: (N,) the persons' numbers.
        frame: (N,) the frames.
        time: (T,) seconds of all frames.

    Raises:
        ValueError: Shapes disagree, rows are out of order, or a frame has no time.
    """
    for name, value in (("track", track), ("frame", frame)):
        if value.shape != track.shape[:1] or value.dtype != np.int32:
            raise ValueError(f"{name}: expected int32 {track.shape[:1]}, found {value.dtype} {value.shape}")
    if time.ndim != 1 or time.dtype != np.float64 or not (np.diff(time) >= 0).all():
        raise ValueError("time: expected a rising float64 (T,) array")
    if len(track) and (frame.min() < 0 or frame.max() >= len(time)):
        raise ValueError("frame: a row lies outside the decoded frames")
    same = np.diff(track) == 0
    if (np.diff(track) < 0).any() or (np.diff(frame)[same] <= 0).any():
        raise ValueError("rows must be sorted by track, then frame, without repeats")


def read_arrays(path: str | os.PathLike[str], archive: Arrays) -> dict[str, NDArray[Any]]:
    """Read the arrays of a pose table's file.

    Args:
        path: The file.
        archive: The same, open.

    Returns:
        The arrays by name; those of `WORLD`, and `extra`, may be missing.

    Raises:
        KeyError: An array is missing.
        ValueError: The arrays do not fit together, or are larger than the file justifies.
    """
    size = os.path.getsize(path)
    allowed = dict.fromkeys(_INDEX, 8 * (_SPARE + size))
    allowed |= dict.fromkeys(_SMALL, _SMALL_SPARE + RATIO * size)
    for name, most in allowed.items():
        if name in archive.names and (found := archive.bytes_of(name)) > most:
            raise ValueError(f"{name} unpacks to {found:,} bytes, more than the {most:,} that are allowed")
    arrays = {name: archive[name] for name in (*_INDEX, *_SMALL) if name in archive.names}
    check_index(*(arrays[name] for name in _INDEX))
    count, frames = arrays["track"].shape, arrays["time"].shape
    shapes = {name: (*count, *tail) for name, (tail, _) in ROWS.items() if name not in _INDEX}
    shapes |= {name: (*frames, *tail) for name, tail in CAMERA.items()}
    if "extra" in archive.names:
        extra = arrays["extra_names"].size
        if extra > _MOST_EXTRA:
            raise ValueError(f"extra_names: expected at most {_MOST_EXTRA} names, found {extra}")
        shapes["extra"] = (*count, extra, 3)
    for name, expected in shapes.items():
        if name in WORLD and name not in archive.names:
            continue
        shape, dtype = archive.header(name)
        if shape != expected:
            raise ValueError(f"{name}: expected {expected}, found {shape}")
        if dtype.itemsize > np.dtype(np.float64).itemsize:
            raise ValueError(f"{name}: expected numbers, found {dtype}")
        arrays[name] = archive[name]
    return arrays
