"""Turn pose tables into the data of a page: arrays of whole numbers in base64, in JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...lifting.exports.angles import joint_angles
from ...lifting.exports.seen_angles import joints_of
from ...lifting.exports.tracks import Track, tracks_in_world
from ...lifting.pose_table import PoseTable
from ...pauses import shorten_pauses
from ...skeleton import H36M17
from ..long_pauses import long_pauses, shown_pause
from ..overlay import LIMBS

MOST_ROWS = 60_000
"""The most rows (one person on one frame) of a page: 8 minutes of four people at 30 frames a second.

With more, frames are left out evenly."""

_MISSING = -32768  # an angle that is not known, in tenths of degrees
_SUBPIXELS = 4  # steps a pixel of keypoints


@dataclass(frozen=True)
class PageVideo:
    """The video of a page.

    Attributes:
        name: Its name, for messages.
        link: Where the page finds it; "" if it is inside the page.
        offset: Its time at the page's first moment, in seconds.
    """

    name: str
    link: str
    offset: float


@dataclass(frozen=True)
class Part:
    """The part of a table that a page shows.

    Attributes:
        table: From the first to the last row of the whole table. Its time begins at 0, and long pauses are
            shortened.
        first: The number of its first frame in the whole table.
        every: It has one frame of this many.
        pauses: Where long pauses are: the time at which each begins, and the seconds that are left out.
        damaged: Its frames that are damaged, or stand for one that is, rising.
        begins: Seconds of its first frame in the whole table.
    """

    table: PoseTable
    first: int = 0
    every: int = 1
    pauses: tuple[tuple[float, float], ...] = ()
    damaged: tuple[int, ...] = ()
    begins: float = 0.0


@dataclass(frozen=True)
class Shown:
    """One motion on a page.

    Attributes:
        part: The part of its table that the page shows.
        label: What it is called; "" on a page of one motion.
        has_camera: Whether the page can look through the table's camera.
        keypoints: Whether keypoints are drawn over the video.
    """

    part: Part
    label: str = ""
    has_camera: bool = True
    keypoints: bool = True


def shown_part(table: PoseTable, most_rows: int = MOST_ROWS, *, span: tuple[int, int] | None = None) -> Part:
    """Return the part of a table that a page shows. If it is long, frames are left out evenly.

    Args:
        table: The table.
        most_rows: The most rows of the result, about.
        span: The first and the last frame that are shown; None for those of the first and the last row.
    """
    rows = (int(table.frame.min()), int(table.frame.max())) if len(table) else (0, 0)
    first, last = span or rows
    every = max(1, -(-len(table) // most_rows))
    kept = np.flatnonzero((table.frame - first) % every == 0)
    frames = slice(first, last + 1, every)
    real = table.time[first : last + 1] - table.time[first]
    time = shorten_pauses(real, shown_pause(real))
    left_out = np.diff(real - time)
    part = replace(
        table[kept],
        frame=((table.frame[kept] - first) // every).astype(np.int32),
        time=time[::every],
        camera_rotation=table.camera_rotation[frames],
        camera_position=table.camera_position[frames],
    )
    pauses = tuple((float(time[i]), float(left_out[i])) for i in long_pauses(real))
    damaged = table.damaged_frames()
    damaged = np.unique((damaged[(damaged >= first) & (damaged <= last)] - first) // every)
    return Part(part, first, every, pauses, tuple(damaged.tolist()), float(table.time[first]))


def page_data(
    motions: Sequence[Shown],
    *,
    video: PageVideo | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Return what a page shows, as values that JSON can store.

    Args:
        motions: One or more motions at the same time. The first gives keypoints, camera and curves.
        video: The video; None for none.
        note: A line for the reader of the page.

    Raises:
        InputError: A table has no poses.
    """
    sources = []
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for motion in motions:
        tracks = tracks_in_world(motion.part.table)
        sources.append(_source(motion, tracks))
        joints = np.concatenate([track.joints for track in tracks])
        # Of whole bodies, so that a walk's first and last step are inside; single wild poses are not.
        low = np.minimum(low, np.percentile(joints.min(1), 1, axis=0))
        high = np.maximum(high, np.percentile(joints.max(1), 99, axis=0))
    return {
        **skeleton_data(),
        "sources": sources,
        "duration": max(float(motion.part.table.time[-1]) for motion in motions),
        "box": {"low": np.round(low, 3).tolist(), "high": np.round(high, 3).tolist()},
        "firstFrame": motions[0].part.first,
        "begins": motions[0].part.begins,
        "every": motions[0].part.every,
        "pauses": [list(pause) for pause in motions[0].part.pauses],
        "damaged": list(motions[0].part.damaged),
        "video": None if video is None else vars(video),
        "note": note,
    }


def skeleton_data() -> dict[str, Any]:
    """Return what pages know of skeletons: Human3.6M's joints in 3D, COCO's limbs over the video."""
    return {
        "skeleton": {
            "names": list(H36M17.names),
            "bones": [list(bone) for bone in H36M17.bones],
            "left": list(H36M17.left),
            "right": list(H36M17.right),
        },
        "limbs": [list(limb) for limb in LIMBS],
    }


def _source(motion: Shown, tracks: Sequence[Track]) -> dict[str, Any]:
    table = motion.part.table
    still = bool(
        (np.ptp(table.camera_rotation, 0) < 1e-6).all() and (np.ptp(table.camera_position, 0) < 1e-6).all()
    )
    cameras = slice(0, 1) if still else slice(None)
    lens = table.intrinsics
    return {
        "label": motion.label,
        "time": _packed(table.time, "f8"),
        "frameLength": 1 / table.rate,
        "size": list(table.size),
        "intrinsics": [lens.fx, lens.fy, lens.cx, lens.cy] if motion.has_camera else None,
        "rotations": _packed(table.camera_rotation[cameras], "f4"),
        "positions": _packed(table.camera_position[cameras], "f4"),
        "tracks": [_track(motion, track) for track in tracks],
    }


def _track(motion: Shown, track: Track) -> dict[str, Any]:
    table = motion.part.table
    own = np.flatnonzero(table.track == track.id)
    rows = own[np.searchsorted(table.frame[own], track.frames)]
    middle = (track.joints.min((0, 1)) + track.joints.max((0, 1))) / 2
    scale = max(float(np.abs(track.joints - middle).max()) / 32_000, 0.0005)  # metres a step
    angles = joint_angles(track.joints, None if track.feet is None else track.feet.positions)
    packed = {
        "id": track.id,
        "frames": _packed(track.frames, "i4"),
        "filled": _packed(table.filled[rows], "u1"),
        "confidence": _packed(np.ceil(np.clip(track.confidence, 0, 1) * 255), "u1"),
        "scale": scale,
        "offset": middle.tolist(),
        "joints": _packed(np.rint((track.joints - middle) / scale), "i2"),
        "angles": {name: _packed(_tenths(values), "i2") for name, values in angles.items()},
        "angleJoints": {name: joints_of(name) for name in angles},
        "keypoints": None,
        "scores": None,
    }
    if motion.keypoints:
        keypoints = np.nan_to_num(table.keypoints[rows].astype(np.float64))
        pixels = np.clip(np.rint(keypoints[..., :2] * _SUBPIXELS), -32768, 32767)
        packed["keypoints"] = _packed(pixels, "i2")
        packed["scores"] = _packed(np.rint(np.clip(keypoints[..., 2], 0, 1) * 255), "u1")
    return packed


def _tenths(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(angles), np.clip(np.rint(angles * 10), -32767, 32767), _MISSING)


def _packed(values: NDArray[np.generic], kind: str) -> dict[str, str]:
    """Return an array of numbers as little-endian base64, with its type."""
    data = np.ascontiguousarray(values.astype(np.dtype(kind).newbyteorder("<")))
    return {"type": kind, "data": base64.b64encode(data.tobytes()).decode()}
