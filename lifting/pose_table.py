"""The pose table: the one result format, a plain `.npz` that every command after `infer` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import replacing
from .cameras.intrinsics import Intrinsics

_ROWS = {
    "track": ((), np.int32),
    "frame": ((), np.int32),
    "keypoints": ((17, 3), np.float32),
    "pose": ((17, 3), np.float32),
    "root": ((3,), np.float32),
    "filled": ((), np.bool_),
}


@dataclass(frozen=True)
class PoseTable:
    """Everyone's motion, one row per (track, frame), sorted by track, then frame.

    track, frame: (N,) int32, who and on which decoded frame (0-based).
    keypoints: (N, 17, 3) float32, COCO17 x, y in pixels of the upright frame, score 0–1.
    pose: (N, 17, 3) float32, H36M17 in camera space (metres, x right, y down, z forward), root at 0;
        NaN where not lifted.
    root: (N, 3) float32, the root in camera space, metres; NaN where not estimated.
    filled: (N,) bool, True where the keypoints were interpolated across a gap, not seen.
    time: (T,) float64, seconds of every decoded frame.
    size: width and height in pixels, upright.
    intrinsics: the camera.
    meta: versions, detector, lifter, the intrinsics' source, command, sha256 of the video and weights.

    Raises `ValueError` where shapes disagree, rows are out of order or a frame has no time.
    """

    track: NDArray[np.int32]
    frame: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    pose: NDArray[np.float32]
    root: NDArray[np.float32]
    filled: NDArray[np.bool_]
    time: NDArray[np.float64]
    size: tuple[int, int]
    intrinsics: Intrinsics
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.track)
        for name, (tail, kind) in _ROWS.items():
            value = getattr(self, name)
            if value.shape != (count, *tail) or value.dtype != kind:
                raise ValueError(
                    f"{name}: expected {np.dtype(kind)} {(count, *tail)}, got {value.dtype} {value.shape}"
                )
        if self.time.ndim != 1 or self.time.dtype != np.float64 or not (np.diff(self.time) >= 0).all():
            raise ValueError("time: expected a rising float64 (T,) array")
        if count and (self.frame.min() < 0 or self.frame.max() >= len(self.time)):
            raise ValueError("frame: a row lies outside the decoded frames")
        same = np.diff(self.track) == 0
        if (np.diff(self.track) < 0).any() or (np.diff(self.frame)[same] <= 0).any():
            raise ValueError("rows must be sorted by track, then frame, without repeats")

    def __len__(self) -> int:
        return len(self.track)

    @property
    def rate(self) -> float:
        """Frames a second where the video runs evenly, 25 if unknown.

        Containers round time stamps (to milliseconds in Matroska), so ordinary steps are averaged; pauses of
        a variable frame rate do not count.
        """
        steps = np.diff(self.time)
        steps = steps[steps > 0]
        return float(1 / steps[steps < 1.5 * np.median(steps)].mean()) if len(steps) else 25.0

    def tracks(self) -> Iterator[tuple[int, slice]]:
        """Each track's id with the slice of its rows."""
        starts = np.flatnonzero(np.diff(self.track, prepend=-1 if len(self) == 0 else self.track[0] - 1))
        ends = np.append(starts, len(self))[1:]
        for start, end in zip(starts, ends, strict=True):
            yield int(self.track[start]), slice(int(start), int(end))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write atomically, readable by `numpy.load(path, allow_pickle=False)`. Raises `OutputError`."""
        with replacing(path) as partial, partial.open("wb") as file:  # numpy would add ".npz" to a bare name
            np.savez_compressed(
                file,
                **{name: getattr(self, name) for name in _ROWS},
                time=self.time,
                size=np.array(self.size, np.int32),
                intrinsics=self.intrinsics.array(),
                meta=np.array(json.dumps(dict(self.meta), sort_keys=True)),
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PoseTable:
        """Read a pose table; nothing in the file is executed. Raises `InputError`."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                width, height = (int(v) for v in archive["size"])
                return cls(
                    **{name: archive[name] for name in _ROWS},
                    time=archive["time"],
                    size=(width, height),
                    intrinsics=Intrinsics(*(float(v) for v in archive["intrinsics"])),
                    meta=dict(json.loads(str(archive["meta"]))),
                )
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file") from error
        except Exception as error:  # numpy and zipfile raise many kinds for a damaged file
            raise InputError(f"{path} is not a pose table written by videopose ({error})") from error
