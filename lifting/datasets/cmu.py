"""CMU's motion capture (mocap.cs.cmu.edu) → clips for a motion-capture table.

In CMU's skeleton y is up; at rest it faces +z, and its left is +x. It is published as ASF/AMC. A popular
conversion to BVH, for MotionBuilder, has three faults that are corrected here:

- The thorax bone is missing, so neck and arms are 11.6 cm too low.
- The hands are at the end of `lradius`, without the length of `lwrist`.
- The first frame is an artificial T-pose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from ...errors import InputError, one_line
from .joint_angles import Motion
from .motion_capture import STORED_JOINTS, MotionCapture

UNIT = 0.0254 / 0.45
"""Metres in one unit of CMU's files, BVH included."""

RATE = 120.0
SLOW_SUBJECTS: Mapping[str, float] = {"60": 60.0, "61": 60.0}
"""Frame rates of subjects who dance salsa. BVH files state 120 for them; AMC files state no rate."""

TABLE_RATE = 50.0
NOTICE = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)

_MIN_SECONDS = 1.0
_MAX_SPEED = 14.0  # m/s, the speed of a kicking foot; a faster joint is an error, such as a lost marker
_MAX_HIP_SPEED = 8.0
_SPINE = 0.35  # of the way from the end of lowerback to the end of upperback: Human3.6M's spine
_FOREARM = 1.4  # distance from elbow to wrist, divided by the length of lradius, which ends before the wrist
_HEAD_TOP = 1.2  # the head bone stops 2 cm short of Human3.6M's top of the head
_HEAD_LIFT = np.deg2rad(12.0)  # CMU's heads lean forward by this angle on average
_THORAX = 1.01  # length of thorax divided by that of upperback, in the skeletons that have both
_LEG = 0.84  # metres of thigh and shank of the person for whom the points of the face are given
# From the top of the neck towards left, up, forward, metres.
_FACE = {"nose": (0.0, 0.010, 0.065), "lear": (0.075, 0.045, 0.0), "rear": (-0.075, 0.045, 0.0)}
_CLIP_NAME = re.compile(r"(?:^|_)(\d{2,3})_(\d{2,3})(?:_|$)")

# The points needed, each by the joint of a BVH file and by the bone of an ASF skeleton that ends there.
_JOINTS = {
    "lhip": ("LeftUpLeg", "lhipjoint"),
    "lknee": ("LeftLeg", "lfemur"),
    "lfoot": ("LeftFoot", "ltibia"),
    "rhip": ("RightUpLeg", "rhipjoint"),
    "rknee": ("RightLeg", "rfemur"),
    "rfoot": ("RightFoot", "rtibia"),
    "lowerback": ("Spine", "lowerback"),
    "upperback": ("Spine1", "upperback"),
    "thorax": ("Neck1", "lowerneck"),
    "neck": ("Head", "upperneck"),
    "headend": ("Head_end", "head"),
    "lshoulder": ("LeftArm", "lclavicle"),
    "lelbow": ("LeftForeArm", "lhumerus"),
    "lradius": ("LeftHand", "lradius"),
    "rshoulder": ("RightArm", "rclavicle"),
    "relbow": ("RightForeArm", "rhumerus"),
    "rradius": ("RightHand", "rradius"),
}
_ABOVE_THORAX = "thorax neck headend lshoulder lelbow lradius rshoulder relbow rradius".split()


@dataclass(frozen=True)
class Clip:
    """A clean span of motion.

    Attributes:
        name: Such as "07_01", or "07_01#0" if the clip has several clean spans.
        subject: Such as "07".
        positions: (T, 19, 3) metres, z up, `TABLE_RATE` frames a second, joints as in a motion-capture table.
            The hip of the first frame is above the origin.
    """

    name: str
    subject: str
    positions: NDArray[np.float64]


def clip_name(stem: str) -> tuple[str, str]:
    """Return a clip's name and subject, "07_01" and "07", by a file's name without its ending.

    Raises:
        InputError: If the file is not named after a clip of CMU's.
    """
    match = _CLIP_NAME.search(stem)
    if not match:
        raise InputError(f"{stem!r} is not named after a clip of CMU's, such as 07_01")
    return f"{match[1]}_{match[2]}", match[1]


def table_joints(motion: Motion) -> NDArray[np.float64]:
    """Return the joints of a motion-capture table from a motion of CMU's skeleton, BVH or ASF/AMC.

    The T-pose at the beginning of a BVH file is dropped.

    Raises:
        InputError: If it is another skeleton.

    Shape:
        (T, 19, 3), metres, z up.
    """
    bvh = "LeftUpLeg" in motion
    try:
        points = {role: motion.position(names[0 if bvh else 1]) for role, names in _JOINTS.items()}
        head = motion.rotation("Head" if bvh else "head")
        if bvh:
            points = _with_thorax(points, motion)
    except KeyError as error:
        raise InputError(f"this is not CMU's skeleton ({one_line(error)})") from error
    joints = _assemble(points, head @ Rotation.from_euler("x", -_HEAD_LIFT).as_matrix())
    return _z_up(joints[1:] if bvh else joints)


def _with_thorax(points: dict[str, NDArray[np.float64]], motion: Motion) -> dict[str, NDArray[np.float64]]:
    """Insert the thorax bone if it is missing, that is, if the neck begins at the start of that bone."""
    if np.abs(motion.position("Neck") - motion.position("Spine1")).max() > 1e-4:
        return points
    length = _THORAX * np.linalg.norm(motion.position("Spine1")[0] - motion.position("Spine")[0])
    bone = motion.rotation("Spine1")[:, :, 1] * length
    return {role: p + bone if role in _ABOVE_THORAX else p for role, p in points.items()}


def _assemble(points: Mapping[str, NDArray[np.float64]], head: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 19, 3) joints, y up, from points by name and the head's axes (T, 3, 3): left, up, forward."""
    joints = dict(points)
    joints["hip"] = (points["lhip"] + points["rhip"]) / 2
    joints["spine"] = points["lowerback"] + _SPINE * (points["upperback"] - points["lowerback"])
    for side in "lr":
        elbow = points[f"{side}elbow"]
        joints[f"{side}wrist"] = elbow + _FOREARM * (points[f"{side}radius"] - elbow)
    scale = _leg_length(points) / _LEG
    for name, offset in _FACE.items():
        joints[name] = points["neck"] + head @ (scale * np.array(offset))
    joints["head"] = points["neck"] + _HEAD_TOP * (points["headend"] - points["neck"])
    return np.stack([joints[name] for name in STORED_JOINTS], 1)


def _leg_length(points: Mapping[str, NDArray[np.float64]]) -> float:
    """Metres of thigh and shank, the mean of both sides."""
    bones = [(f"{s}{a}", f"{s}{b}") for s in "lr" for a, b in (("hip", "knee"), ("knee", "foot"))]
    return float(sum(np.linalg.norm(points[a] - points[b], axis=-1).mean() for a, b in bones) / 2)


def _z_up(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def clean_clips(motion: Motion, name: str, subject: str) -> list[Clip]:
    """Return the clean spans of a motion at `TABLE_RATE`.

    The motion is cut where a joint moves faster than 14 m/s, or the hip faster than 8 m/s. Spans under a
    second are dropped, and spans that extend further than 32 m.

    Raises:
        InputError: If it is another skeleton.
    """
    joints = table_joints(motion)
    rate = SLOW_SUBJECTS.get(subject, motion.rate)
    if len(joints) < rate * _MIN_SECONDS:
        return []
    joints = resample(joints, rate, TABLE_RATE)
    spans = clean_spans(joints, TABLE_RATE)
    clips = []
    for i, (start, stop) in enumerate(spans):
        piece = joints[start:stop].copy()
        piece[..., :2] -= piece[0, 0, :2]
        if np.abs(piece).max() < 32:
            clips.append(Clip(name if len(spans) == 1 else f"{name}#{i}", subject, piece))
    return clips


def resample(positions: NDArray[np.float64], source: float, target: float) -> NDArray[np.float64]:
    """Resample (T, …) from one frame rate to another by a cubic spline; the first frame stays the first."""
    seconds = np.arange(len(positions)) / source
    frames = int(np.floor(seconds[-1] * target + 1e-6)) + 1
    return CubicSpline(seconds, positions, axis=0)(np.arange(frames) / target)


def clean_spans(positions: NDArray[np.float64], rate: float) -> list[tuple[int, int]]:
    """Return (start, stop) of the spans of (T, J, 3), hip first, in which no joint moves impossibly fast."""
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1) * rate
    faults = np.flatnonzero((speed.max(1) > _MAX_SPEED) | (speed[:, 0] > _MAX_HIP_SPEED)) + 1
    edges = [0, *faults.tolist(), len(positions)]
    return [(a, b) for a, b in pairwise(edges) if b - a >= rate * _MIN_SECONDS]


def drop_duplicates(clips: Sequence[Clip]) -> tuple[list[Clip], list[tuple[str, str]]]:
    """Drop duplicates: of clips that show the same motion, only the first is kept.

    Two clips show the same motion if they have the same length within two frames, and hip, foot and wrist are
    at the same positions within 3 cm at the beginning, in the middle and at the end.

    Returns:
        The clips kept, and pairs (name dropped, name kept).
    """
    kept: list[Clip] = []
    dropped = []
    for clip in clips:
        twin = next((other for other in kept if _same_motion(clip, other)), None)
        if twin is None:
            kept.append(clip)
        else:
            dropped.append((clip.name, twin.name))
    return kept, dropped


def _same_motion(a: Clip, b: Clip) -> bool:
    frames = min(len(a.positions), len(b.positions))
    if max(len(a.positions), len(b.positions)) - frames > 2:
        return False
    joints = [STORED_JOINTS.index(name) for name in ("rhip", "rfoot", "lwrist")]
    at = np.ix_((0, frames // 2, frames - 1), joints)
    return bool(np.abs(a.positions[at] - b.positions[at]).max() < 0.03)


def to_table(clips: Sequence[Clip], *, source: str, actions: Mapping[str, str]) -> MotionCapture:
    """Make a motion-capture table of clips.

    Args:
        clips: The clips.
        source: Where they are from.
        actions: The action of each of CMU's clips, such as {"07_01": "walk"}.

    Raises:
        InputError: If there are no clips.
    """
    if not clips:
        raise InputError("expected at least one clean span of motion, found none")
    return MotionCapture(
        np.concatenate([c.positions for c in clips]).astype(np.float32),
        np.array([len(c.positions) for c in clips], np.int64),
        TABLE_RATE,
        tuple(c.name for c in clips),
        tuple(c.subject for c in clips),
        tuple(actions.get(c.name.split("#")[0], "") for c in clips),
        (source,) * len(clips),
    )


def read_index(text: str) -> dict[str, str]:
    """Parse the list of clips known as `cmu-mocap-index-text.txt` into {"07_01": "walk"}."""
    lines = (re.match(r"\s*(\d{2,3}_\d{2,3})\s+(\S.*)", line) for line in text.splitlines())
    return {match[1]: match[2].strip() for match in lines if match}
