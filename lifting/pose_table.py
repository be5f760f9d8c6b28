"""The pose table: the result of `infer`, a plain `.npz` file that every later command reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..bounded import open_npz
from ..errors import InputError
from ..files import replacing
from ..skeleton import COCO17, H36M17, convert
from .cameras.intrinsics import Intrinsics
from .cameras.level import LEVEL, level_camera
from .pose_table_file import CAMERA, ROWS, check_index, read_arrays

if TYPE_CHECKING:
    from .cameras.distortion import Lens

_LARGEST = 1 << 16  # pixels of a side; the largest picture files have as many
_BURST = 12  # frames over which the rate of uneven frames is measured

_DEFAULT: NDArray[np.float32] = np.empty(0, np.float32)  # marks a default that depends on other fields


def _default() -> NDArray[np.float32]:
    return _DEFAULT


FLOOR_OF_LOWEST_JOINTS = "the lowest joints: no foot is seen at rest"
"""`meta["world"]["floor"]` of a table whose `floor_is_guess`."""


@dataclass(frozen=True)
class PoseTable:
    """The motion of all people in a video: one row per track and frame, sorted by track, then frame.

    The world is metres, right-handed, z up, the floor at z = 0, x to the camera's right at the first frame,
    the origin on the floor below that camera. `meta["world"]` says how it was found.

    Attributes:
        track: (N,) int32, the person's number.
        frame: (N,) int32, the decoded frame, counted from 0.
        keypoints: (N, 17, 3) float32, COCO17 x, y in pixels of the upright frame, score 0–1.
        pose: (N, 17, 3) float32, H36M17 in camera space (metres, x right, y down, z forward), root at 0;
            NaN where not lifted.
        root: (N, 3) float32, the root in camera space, metres; NaN where not estimated.
        filled: (N,) bool, True where the keypoints were interpolated across a gap.
        time: (T,) float64, seconds of every decoded frame.
        size: Width and height in pixels, upright.
        intrinsics: The camera's focal lengths and principal point.
        meta: Versions, detector, lifter, the intrinsics' source, lens distortion, damage of the video,
            command, sha256 of the video and weights.
        confidence: (N, 17) float32, how reliable each joint of `pose` is, 0–1; 0 if its keypoints are
            hidden. Default: by the scores of the keypoints that the joint is made of.
        contact: (N, 2) float32, whether the left and the right foot stand on the floor, 0–1. Default: NaN,
            not known.
        camera_rotation: (T, 3, 3) float32, world ← camera, of every decoded frame. Default: a level camera.
        camera_position: (T, 3) float32, the camera's centre in the world, metres. Default: the origin.
        extra: (N, K, 3) float32, further keypoints that the detector found, such as heels and toes: x, y in
            pixels, score 0–1. Default: none.
        extra_names: Their K names.

    Raises:
        ValueError: Shapes disagree, rows are out of order or a frame has no time.

    Example:
        ```python
        import videopose

        table = videopose.PoseTable.load("clip.npz")
        for track, rows in table.tracks():
            print(track, table.time[table.frame[rows]], table.pose[rows].shape)
        ```
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
    confidence: NDArray[np.float32] = field(default_factory=_default)
    contact: NDArray[np.float32] = field(default_factory=_default)
    camera_rotation: NDArray[np.float32] = field(default_factory=_default)
    camera_position: NDArray[np.float32] = field(default_factory=_default)
    extra: NDArray[np.float32] = field(default_factory=_default)
    extra_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_index(self.track, self.frame, self.time)
        self._fill_in_defaults()
        count = len(self.track)
        for name, (tail, kind) in ROWS.items():
            value = getattr(self, name)
            if value.shape != (count, *tail) or value.dtype != kind:
                raise ValueError(
                    f"{name}: expected {np.dtype(kind)} {(count, *tail)}, found {value.dtype} {value.shape}"
                )
        expected = (count, len(self.extra_names), 3)
        if self.extra.shape != expected or self.extra.dtype != np.float32:
            raise ValueError(
                f"extra: expected float32 {expected}, found {self.extra.dtype} {self.extra.shape}"
            )
        for name, tail in CAMERA.items():
            value = getattr(self, name)
            if value.shape != (len(self.time), *tail) or value.dtype != np.float32:
                raise ValueError(
                    f"{name}: expected float32 {(len(self.time), *tail)}, got {value.dtype} {value.shape}"
                )

    def _fill_in_defaults(self) -> None:
        """Set fields of the world that were not given to their defaults."""
        count, frames = len(self.track), self.time.shape[:1]
        defaults: dict[str, Callable[[], NDArray[np.float32]]] = {
            "confidence": lambda: np.clip(
                np.nan_to_num(convert(self.keypoints, COCO17, H36M17)[..., 2]), 0, 1
            ),
            "contact": lambda: np.full((count, 2), np.nan, np.float32),
            "camera_rotation": lambda: np.tile(LEVEL.astype(np.float32), (*frames, 1, 1)),
            "camera_position": lambda: np.zeros((*frames, 3), np.float32),
            "extra": lambda: np.zeros((count, 0, 3), np.float32),
        }
        for name, default in defaults.items():
            if getattr(self, name) is _DEFAULT and (name != "confidence" or self._has_keypoints()):
                object.__setattr__(self, name, default())

    def _has_keypoints(self) -> bool:
        """Whether `keypoints` has the right shape. If not, `__post_init__` raises the error."""
        return self.keypoints.shape == (len(self.track), 17, 3)

    def __repr__(self) -> str:
        tracks = len(np.unique(self.track))
        return f"<PoseTable: {tracks} tracks on {len(self.time)} frames, {len(self)} rows>"

    def __len__(self) -> int:
        return len(self.track)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.integer]) -> PoseTable:
        """The table with these rows only, of the same frames."""
        return replace(self, **{name: getattr(self, name)[rows] for name in (*ROWS, "extra")})

    @property
    def rate(self) -> float:
        """Frames per second; 25 if unknown.

        Containers round time stamps (Matroska to milliseconds), so the time steps are averaged. Steps longer
        than 1.5 times the median, as in a variable frame rate, do not count. If frames come in bursts, their
        usual rate over several frames counts.
        """
        steps = np.diff(self.time)
        steps = steps[steps > 0]
        if not len(steps):
            return 25.0
        rate = float(1 / steps[steps < 1.5 * np.median(steps)].mean())
        if len(steps) < 2 * _BURST:
            return rate
        several = float(np.median(self.time[_BURST:] - self.time[:-_BURST]))
        return rate if rate * several <= 1.5 * _BURST else float(1 / steps[steps < several].mean())

    @property
    def lens(self) -> Lens:
        """The camera with the lens distortion that `meta` records.

        Raises:
            InputError: The recorded distortion is damaged.
        """
        from .cameras.distortion import Lens  # loads torch, which reading a table does not need

        distortion = self.meta.get("distortion")
        if distortion is None:
            return Lens(self.intrinsics)
        try:
            return Lens.of_model(self.intrinsics, distortion["model"], distortion["coefficients"])
        except (TypeError, LookupError, ValueError) as error:
            raise InputError(f"the distortion that a pose table records cannot be used: {error}") from error

    def tracks(self) -> Iterator[tuple[int, slice]]:
        """Yield each track's number and the slice of its rows."""
        starts = np.flatnonzero(np.diff(self.track, prepend=-1 if len(self) == 0 else self.track[0] - 1))
        ends = np.append(starts, len(self))[1:]
        for start, end in zip(starts, ends, strict=True):
            yield int(self.track[start]), slice(int(start), int(end))

    def damaged_frames(self) -> NDArray[np.int64]:
        """Return the numbers of the frames that the video's damage changed, rising, by `meta["damaged"]`."""
        recorded = self.meta.get("damaged")
        listed = recorded.get("frames") if isinstance(recorded, dict) else None
        frames = listed if isinstance(listed, list) else []
        return np.unique(np.array([n for n in frames if n in range(len(self.time))], np.int64))

    def stretches(self) -> Iterator[tuple[int, slice]]:
        """Yield each part of a track that has no gap: the track's number and the slice of its rows."""
        for track, rows in self.tracks():
            edges = np.flatnonzero(np.diff(self.frame[rows]) > 1) + 1 + rows.start
            for start, end in pairwise([rows.start, *edges.tolist(), rows.stop]):
                yield track, slice(start, end)

    @property
    def has_floor(self) -> bool:
        """Whether the floor was found. Without it, heights in the world are not meaningful."""
        return "floor" in (self.meta.get("world") or {})

    @property
    def floor_is_guess(self) -> bool:
        """Whether no foot was seen at rest, so that the lowest joints, seen or not, give the floor."""
        return (self.meta.get("world") or {}).get("floor") == FLOOR_OF_LOWEST_JOINTS

    def world(self, joints: Sequence[int] | slice = slice(None)) -> NDArray[np.float32]:
        """Return the joints of all people in the world.

        Args:
            joints: Which joints, by number. Default: all.

        Returns:
            (N, J, 3) float32 of the J joints, metres, z up, the floor at z = 0. NaN where the pose was not
            lifted or the root is not known.
        """
        seen = self.pose[:, joints] + self.root[:, None]
        placed = np.einsum("nij,nkj->nki", self.camera_rotation[self.frame], seen, dtype=np.float64)
        placed += self.camera_position[self.frame][:, None]
        return np.asarray(placed, np.float32)

    def with_world(self, joints: NDArray[np.floating]) -> PoseTable:
        """Return a table with other joints. Poses and roots are computed from joints in the world.

        Args:
            joints: (N, 17, 3) H36M17 in the world, metres. Rows with NaN keep their pose and root.

        Returns:
            The table whose `world()` is `joints`.
        """
        if joints.shape != self.pose.shape:
            raise ValueError(f"expected {self.pose.shape} joints, got {joints.shape}")
        rotation, position = self.camera_rotation[self.frame], self.camera_position[self.frame]
        seen = np.einsum("nji,nkj->nki", rotation, joints - position[:, None])
        known = np.isfinite(seen).all((1, 2))
        pose, root = self.pose.copy(), self.root.copy()
        root[known] = seen[known, 0]
        pose[known] = seen[known] - seen[known, :1]
        return replace(self, pose=pose, root=root)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table atomically; `numpy.load(path, allow_pickle=False)` reads it.

        Raises:
            OutputError: The file cannot be written.
        """
        extra: dict[str, Any] = {}
        if self.extra_names:
            extra = {"extra": self.extra, "extra_names": np.array(self.extra_names)}
        with replacing(path) as partial, partial.open("wb") as file:  # given a name, numpy adds ".npz"
            np.savez_compressed(
                file,
                **{name: getattr(self, name) for name in (*ROWS, *CAMERA)},
                **extra,
                time=self.time,
                size=np.array(self.size, np.int32),
                intrinsics=self.intrinsics.array(),
                meta=np.array(json.dumps(dict(self.meta), sort_keys=True)),
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PoseTable:
        """Read a pose table; nothing in the file is executed.

        A table of an earlier version has no camera poses: its camera is levelled by how people stand.

        Raises:
            InputError: The file is missing, or is not a pose table.
        """
        with open_npz(path, "a pose table written by videopose", by_rows=True) as archive:
            found = read_arrays(path, archive)
            width, height = (int(v) for v in found["size"])
            if not 1 <= min(width, height) <= max(width, height) <= _LARGEST:
                raise ValueError(f"its pictures have {width}×{height} pixels")
            names = [name for name in (*ROWS, *CAMERA) if name in found]
            meta = dict(json.loads(str(found["meta"])))
            for name in ("video", "world"):
                if not isinstance(meta.get(name) or {}, dict):
                    raise ValueError(f"meta: {name} is no group of values")
            arrays: dict[str, Any] = {name: found[name] for name in names}
            table = cls(
                **arrays,
                **_extra_of(found),
                time=found["time"],
                size=(width, height),
                intrinsics=Intrinsics(*(float(v) for v in found["intrinsics"])),
                meta=meta,
            )
            return table if "camera_rotation" in names else _levelled(table)


def _extra_of(found: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The fields of further keypoints among the arrays of a file."""
    if "extra" not in found:
        return {}
    return {"extra": found["extra"], "extra_names": tuple(str(name) for name in found["extra_names"])}


def _levelled(table: PoseTable) -> PoseTable:
    """The table with a camera levelled by how people stand, at the height that puts feet on the floor."""
    rotation, height = level_camera(table.pose, table.root)
    frames = len(table.time)
    return replace(
        table,
        camera_rotation=np.tile(rotation.astype(np.float32), (frames, 1, 1)),
        camera_position=np.tile(np.array([0, 0, height], np.float32), (frames, 1)),
    )
