"""BVH (Biovision hierarchy): a skeleton and its joint angles in one text file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...bounded import read_text
from ...errors import InputError, one_line
from .joint_angles import Motion, compose, euler_rotation

END = "_end"
"""Added to a joint's name for its end site."""

MOST_JOINTS = 500
"""Joints of a skeleton; a body with fingers has about 80."""

SHORTEST_FRAME, LONGEST_FRAME = 1e-4, 1.0
"""Seconds of a frame."""

LARGEST_VALUE = 1e9
"""A bound for all values, in degrees or units of length."""


@dataclass
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: list[str] = field(default_factory=list)


def load_bvh(path: str | os.PathLike[str], *, unit: float = 1.0) -> Motion:
    """Read a BVH file.

    A joint's position channels replace its offset, as in the files of all common programs. An end site is a
    joint named after its parent, plus `END`.

    Args:
        path: The file.
        unit: Metres in one unit of length, which a BVH file does not state.

    Raises:
        InputError: If it is not a BVH file, or it is cut off.
    """
    try:
        text = read_text(path)
        head, _, tail = text.partition("MOTION")
        joints = _hierarchy(iter(head.split()))
        values, step = _motion(tail, sum(len(j.channels) for j in joints))
        rotations, translations = _local(joints, values)
        parents = tuple(j.parent for j in joints)
        positions, rotations = compose(parents, rotations, translations * unit)
        return Motion(tuple(j.name for j in joints), parents, positions, rotations, _rate(step))
    except StopIteration as error:
        raise InputError(f"{path} is not a BVH file (its hierarchy is cut off)") from error
    except (OverflowError, ValueError) as error:
        raise InputError(f"{path} is not a BVH file ({one_line(error)})") from error


def _hierarchy(words: Iterator[str]) -> list[_Joint]:
    """Joints in the file's order, which is that of the channels."""
    if next(words) != "HIERARCHY":
        raise ValueError("it does not begin with HIERARCHY")
    joints: list[_Joint] = []
    open_joints: list[int] = []
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            name = []
            while (part := next(words)) != "{":  # names with blanks exist
                name.append(part)
            parent = open_joints[-1] if open_joints else -1
            if (word == "ROOT") != (parent < 0) or (parent >= 0 and joints[parent].name.endswith(END)):
                raise ValueError(f"{word} in the wrong place")
            if len(joints) >= MOST_JOINTS:
                raise ValueError(f"more than {MOST_JOINTS} joints")
            label = joints[parent].name + END if word == "End" else " ".join(name)
            joints.append(_Joint(label, parent))
            open_joints.append(len(joints) - 1)
        elif word == "OFFSET":
            _open(joints, open_joints).offset = (float(next(words)), float(next(words)), float(next(words)))
        elif word == "CHANNELS":
            count = int(next(words))
            if not 0 <= count <= 6:
                raise ValueError(f"a joint of {count} channels")
            _open(joints, open_joints).channels = [_channel(next(words)) for _ in range(count)]
        elif word == "}" and open_joints:
            open_joints.pop()
        else:
            raise ValueError(f"{word[:40]!r} in its hierarchy")
    if not joints or open_joints:
        raise ValueError("its hierarchy is cut off")
    if len(joints) > 3 * sum(
        len(joint.channels) for joint in joints
    ):  # they would take more memory than the file
        raise ValueError("most of its joints do not move")
    return joints


def _open(joints: list[_Joint], open_joints: list[int]) -> _Joint:
    if not open_joints:
        raise ValueError("a value outside of any joint")
    return joints[open_joints[-1]]


def _channel(word: str) -> str:
    """ "Xposition" → "xp", "Zrotation" → "zr"."""
    axis, kind = word[:1].lower(), word[1:].lower()
    if axis not in ("x", "y", "z") or kind not in ("position", "rotation"):
        raise ValueError(f"a channel {word[:40]!r}")
    return axis + kind[0]


def _motion(text: str, channels: int) -> tuple[NDArray[np.float64], float]:
    """(T, C) values and the seconds of a frame, from the lines after MOTION."""
    head, _, rest = text.partition("Frame Time:")
    words = head.split()
    step, _, numbers = rest.lstrip().partition("\n")
    if len(words) != 2 or words[0] != "Frames:" or not rest:
        raise ValueError("it does not give its frames and frame time")
    frames, seconds = int(words[1]), float(step)
    if frames < 1 or not SHORTEST_FRAME <= seconds <= LONGEST_FRAME:
        raise ValueError(
            f"{frames} frames of {seconds} s; expected one or more, of {SHORTEST_FRAME:g} to "
            f"{LONGEST_FRAME:g} s"
        )
    values = np.array(numbers.split(), np.float64)
    if len(values) != frames * channels:
        raise ValueError(f"{frames} frames of {channels} channels, but {len(values)} values")
    if not (np.abs(values) < LARGEST_VALUE).all():
        raise ValueError("values that are not finite, or far too large")
    return values.reshape(frames, channels), seconds


def _rate(seconds: float) -> float:
    """Return frames per second, rounded, because files give few digits: .0083333 is 120, not 120.0005."""
    rate = 1 / seconds
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate


def _local(
    joints: list[_Joint], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotations (T, J, 3, 3) and translations (T, J, 3) in the parents' axes, from the channels."""
    rotations = np.empty((len(values), len(joints), 3, 3))
    translations = np.empty((len(values), len(joints), 3))
    starts = np.cumsum([0, *(len(j.channels) for j in joints)]).tolist()
    for i, (joint, (start, stop)) in enumerate(zip(joints, pairwise(starts), strict=True)):
        own = values[:, start:stop]
        turns = [c for c, channel in enumerate(joint.channels) if channel[1] == "r"]
        axes = "".join(joint.channels[c][0] for c in turns)
        rotations[:, i] = euler_rotation(axes, np.deg2rad(own[:, turns]))
        moves = [c for c, channel in enumerate(joint.channels) if channel[1] == "p"]
        translations[:, i] = 0.0 if moves else joint.offset
        for c in moves:
            translations[:, i, "xyz".index(joint.channels[c][0])] = own[:, c]
    return rotations, translations
