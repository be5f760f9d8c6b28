"""Acclaim motion capture: a skeleton of each person (`.asf`), and joint angles of each clip (`.amc`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...bounded import read_text
from ...errors import InputError, one_line
from .bvh import LARGEST_VALUE, MOST_JOINTS
from .joint_angles import Motion, compose, euler_rotation

_INCH = 0.0254
_ROOT = "root"

T = TypeVar("T")


@dataclass(frozen=True)
class Bone:
    """A bone of an Acclaim skeleton; a joint of the motion is at its far end.

    Attributes:
        name: The bone's name.
        parent: The index of its parent, -1 for the root.
        vector: (3,) metres, from its near to its far end, in the skeleton's axes at rest.
        axes: (3, 3), the bone's own axes, to which its angles refer.
        freedoms: The axes "x", "y", "z" that it rotates about, in the order of the values in a motion file.
    """

    name: str
    parent: int
    vector: NDArray[np.float64]
    axes: NDArray[np.float64]
    freedoms: str


@dataclass(frozen=True)
class AcclaimSkeleton:
    """A person's skeleton.

    Attributes:
        bones: The root first.
        order: Of the root's six values, such as ("tx", "ty", "tz", "rx", "ry", "rz").
        unit: Metres in one unit of length.
        degrees: Whether angles are in degrees.
    """

    bones: tuple[Bone, ...]
    order: tuple[str, ...]
    unit: float
    degrees: bool


def load_asf(path: str | os.PathLike[str]) -> AcclaimSkeleton:
    """Read a skeleton. Its lengths are in inches divided by a factor in the file (CMU's is 0.45).

    Raises:
        InputError: If it is not an ASF file.
    """
    return _reading(path, "an ASF", lambda text: _skeleton(_sections(text)))


def load_amc(path: str | os.PathLike[str], skeleton: AcclaimSkeleton, *, rate: float) -> Motion:
    """Read a clip. A joint that is named after a bone is at the bone's far end.

    Args:
        path: The file.
        skeleton: The person's skeleton.
        rate: Frames per second, which the file does not state.

    Raises:
        InputError: If it is not an AMC file, does not belong to the skeleton, or is cut off.
    """
    return _reading(path, "an AMC", lambda text: _motion(_frames(text, skeleton), skeleton, rate))


def _reading(path: str | os.PathLike[str], kind: str, read: Callable[[str], T]) -> T:
    try:
        return read(read_text(path))
    except (ArithmeticError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path} is not {kind} file ({one_line(error)})") from error


def _sections(text: str) -> dict[str, list[list[str]]]:
    """Return the sections of a file by name, as lists of lines, which are lists of words."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0][1:].lower(), [])
        elif words:
            lines.append(words)
    return sections


def _skeleton(sections: Mapping[str, list[list[str]]]) -> AcclaimSkeleton:
    units = {w[0]: w[1] for w in sections.get("units", []) if len(w) > 1}
    unit = _INCH / float(units.get("length", 1))
    if not 1e-6 < abs(unit) < 1e6:
        raise ValueError(f"a unit of {unit:g} m")
    degrees = units.get("angle", "deg").startswith("deg")
    root = {w[0]: w[1:] for w in sections["root"]}
    order = tuple(w.lower() for w in root["order"])
    if sorted(order) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
        raise ValueError(f"a root moved by {' '.join(order)}")
    axes = _axes([*root.get("orientation", ["0", "0", "0"]), *root.get("axis", ["XYZ"])], degrees)
    place = _numbers(root.get("position", ["0", "0", "0"])) * unit
    bones = [Bone(_ROOT, -1, place, axes, "".join(o[1] for o in order if o[0] == "r"))]
    rest = _bone_data(sections["bonedata"])
    numbers = {_ROOT: 0}
    for parent, *children in (w for w in sections["hierarchy"] if w[0] not in ("begin", "end")):
        for child in children:
            if child in numbers:
                raise ValueError(f"two parents of {child}")
            if len(bones) >= MOST_JOINTS:
                raise ValueError(f"more than {MOST_JOINTS} bones")
            numbers[child] = len(bones)
            bones.append(_bone(child, numbers[parent], rest[child], unit, degrees))
    return AcclaimSkeleton(tuple(bones), order, unit, degrees)


def _bone_data(lines: list[list[str]]) -> dict[str, dict[str, list[str]]]:
    """Properties of each bone by its name. Further lines of `limits` have no name; they are not needed."""
    bones: dict[str, dict[str, list[str]]] = {}
    bone: dict[str, list[str]] = {}
    for word, *values in lines:
        if word == "begin":
            bone = {}
        elif word == "end":
            bones[bone["name"][0]] = bone
        else:
            bone[word] = values
    return bones


def _bone(name: str, parent: int, data: Mapping[str, list[str]], unit: float, degrees: bool) -> Bone:
    freedoms = [f.lower() for f in data.get("dof", [])]
    if any(f not in ("rx", "ry", "rz") for f in freedoms):
        raise ValueError(f"{name} has freedoms {' '.join(freedoms)}; expected rotations only")
    vector = _numbers(data["direction"]) * _numbers(data["length"][:1]) * unit
    if vector.shape != (3,):
        raise ValueError(f"the direction of {name}")
    return Bone(name, parent, vector, _axes(data["axis"], degrees), "".join(f[1] for f in freedoms))


def _axes(words: list[str], degrees: bool) -> NDArray[np.float64]:
    """Axes by three angles about the skeleton's fixed axes, and their order: "XYZ" is x first."""
    angles = _numbers(words[:3])
    order = (words[3] if len(words) > 3 else "xyz").lower()
    if angles.shape != (3,) or sorted(order) != ["x", "y", "z"]:
        raise ValueError(f"an axis {' '.join(words)}")
    # rotations about fixed axes, x first, are those about rotating axes, x last
    return euler_rotation(order[::-1], (np.deg2rad(angles) if degrees else angles)[::-1])


def _numbers(words: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers, or words that are numbers, as an array. Raise `ValueError` unless they are of a usual size."""
    numbers = np.array(words, np.float64)
    if not (np.abs(numbers) < LARGEST_VALUE).all():
        raise ValueError("values that are not finite, or far too large")
    return numbers


def _frames(text: str, skeleton: AcclaimSkeleton) -> dict[str, NDArray[np.float64]]:
    """Values (T, number of values) of every bone that moves, by its name."""
    widths = {b.name: len(b.freedoms) for b in skeleton.bones if b.freedoms}
    widths[_ROOT] = len(skeleton.order)
    rows: dict[str, list[list[str]]] = {name: [] for name in widths}
    frames = 0
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1 and words[0].isdecimal():
            frames += 1
            continue
        name, *values = words
        if name not in widths or len(values) != widths[name] or len(rows[name]) != frames - 1:
            raise ValueError(f"frame {frames}: {' '.join(words)[:60]!r} does not fit the skeleton")
        rows[name].append(values)
    for name, lines in rows.items():
        if len(lines) != frames or not frames:
            raise ValueError(f"{frames} frames, but {len(lines)} of {name}")
    return {name: _numbers(lines) for name, lines in rows.items()}


def _motion(values: Mapping[str, NDArray[np.float64]], skeleton: AcclaimSkeleton, rate: float) -> Motion:
    frames = len(values[_ROOT])
    shape = (frames, len(skeleton.bones))
    rotations, translations = np.empty((*shape, 3, 3)), np.empty((*shape, 3))
    for i, bone in enumerate(skeleton.bones):
        angles = values.get(bone.name, np.empty((frames, 0)))
        if bone.parent < 0:
            moves = [skeleton.order.index(f"t{axis}") for axis in "xyz"]
            translations[:, i] = bone.vector + angles[:, moves] * skeleton.unit
            angles = angles[:, [k for k, o in enumerate(skeleton.order) if o[0] == "r"]]
        angles = np.deg2rad(angles) if skeleton.degrees else angles
        turn = euler_rotation(bone.freedoms[::-1], angles[:, ::-1])
        rotations[:, i] = bone.axes @ turn @ bone.axes.T
        if bone.parent >= 0:  # the joint is at the far end, so the bone's own rotation moves it
            translations[:, i] = rotations[:, i] @ bone.vector
    parents = tuple(b.parent for b in skeleton.bones)
    positions, rotations = compose(parents, rotations, translations)
    return Motion(tuple(b.name for b in skeleton.bones), parents, positions, rotations, rate)
