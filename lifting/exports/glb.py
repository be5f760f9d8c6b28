"""GLB (binary glTF 2.0): animated skeletons with a simple body, which every 3D viewer shows.

Metres, y up, as the format requires. Each person has a skeleton, a mesh and an animation named "person ID".
Viewers play the first animation: of several people, "everyone", which plays the others together. Key times
are seconds since the video's first frame, so that the animations of several people are in step. The container
is a header and two chunks (glTF 2.0, section 4.4). It is written here, because a library would not make it
shorter.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .body import make_body, rest_positions
from .motion import Motion
from .rig import JOINTS, NAMES, PARENTS
from .style import Style

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENTS = {"float32": 5126, "uint32": 5125, "uint8": 5121}
_SHAPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (16,): "MAT4"}
_Animation = dict[str, Any]
_COLOURS = (
    (0.30, 0.52, 0.78),
    (0.86, 0.47, 0.24),
    (0.38, 0.66, 0.42),
    (0.66, 0.45, 0.72),
    (0.80, 0.68, 0.30),
)


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's motion as a GLB file."""
    file = _File()
    animations = [
        _add_person(file, motion, style, _COLOURS[index % len(_COLOURS)])
        for index, motion in enumerate(motions)
    ]
    if len(animations) > 1:
        animations.insert(0, _together(animations))
    file.document["animations"] = animations
    return file.encoded()


class _File:
    """A glTF document under construction, and its binary buffer."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "videopose"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            **{kind: [] for kind in ("nodes", "meshes", "materials", "skins")},
            **{kind: [] for kind in ("accessors", "bufferViews")},
        }

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        """Append to one of the document's lists and return the index."""
        self.document[kind].append(entry)
        return len(self.document[kind]) - 1

    def accessor(self, values: NDArray[Any], *, target: int | None = None, bounds: bool = False) -> int:
        """Append an array to the buffer and return its accessor. bounds: state minimum and maximum."""
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": values.nbytes}
        self.binary.extend(np.ascontiguousarray(values).tobytes())
        entry: dict[str, Any] = {
            "bufferView": self.add("bufferViews", view if target is None else view | {"target": target}),
            "componentType": _COMPONENTS[values.dtype.name],
            "count": len(values),
            "type": _SHAPES[values.shape[1:]],
        }
        if bounds:
            columns = values.reshape(len(values), -1)
            entry |= {"min": columns.min(0).tolist(), "max": columns.max(0).tolist()}
        return self.add("accessors", entry)

    def encoded(self) -> bytes:
        """Return header, JSON chunk and binary chunk."""
        self.document["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        data = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        total = 12 + 8 + len(text) + 8 + len(data)
        return b"".join([
            struct.pack("<4sII", b"glTF", 2, total),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", len(data), b"BIN\0"),
            data,
        ])  # fmt: skip


def _add_person(file: _File, motion: Motion, style: Style, colour: tuple[float, float, float]) -> _Animation:
    name = f"person {motion.id}"
    lengths = motion.rig.lengths
    first = len(file.document["nodes"])
    for joint, (bone, offset) in enumerate(zip(NAMES[style.names], lengths.rest(), strict=True)):
        children = [first + child for child, parent in enumerate(PARENTS) if parent == joint]
        node: dict[str, Any] = {"name": bone, "translation": offset.tolist()}
        file.add("nodes", node | {"children": children} if children else node)
    root = file.add("nodes", {"name": name, "children": [first]})
    inverse_binds = np.tile(np.eye(4, dtype=np.float32), (len(JOINTS), 1, 1))
    inverse_binds[:, 3, :3] = -rest_positions(lengths)  # column-major: the translation is the last row
    skin = file.add(
        "skins",
        {
            "name": name,
            "skeleton": root,
            "joints": list(range(first, first + len(JOINTS))),
            "inverseBindMatrices": file.accessor(inverse_binds.reshape(-1, 16)),
        },
    )
    mesh_node = file.add(
        "nodes", {"name": f"{name} body", "mesh": _add_mesh(file, motion, colour), "skin": skin}
    )
    file.document["scenes"][0]["nodes"].extend([root, mesh_node])
    return _make_animation(file, motion, first)


def _add_mesh(file: _File, motion: Motion, colour: tuple[float, float, float]) -> int:
    body = make_body(motion.rig.lengths)
    joints = np.zeros((len(body.joints), 4), np.uint8)
    joints[:, 0] = body.joints
    weights = np.zeros((len(body.joints), 4), np.float32)
    weights[:, 0] = 1
    shade = {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8}
    primitive = {
        "attributes": {
            "POSITION": file.accessor(body.vertices, target=_ARRAY_BUFFER, bounds=True),
            "NORMAL": file.accessor(body.normals, target=_ARRAY_BUFFER),
            "JOINTS_0": file.accessor(joints, target=_ARRAY_BUFFER),
            "WEIGHTS_0": file.accessor(weights, target=_ARRAY_BUFFER),
        },
        "indices": file.accessor(body.triangles.reshape(-1), target=_ELEMENT_ARRAY_BUFFER),
        "material": file.add("materials", {"name": f"person {motion.id}", "pbrMetallicRoughness": shade}),
    }
    return file.add("meshes", {"name": f"person {motion.id} body", "primitives": [primitive]})


def _make_animation(file: _File, motion: Motion, first: int) -> _Animation:
    rig = motion.rig
    times = file.accessor(rig.times.astype(np.float32), bounds=True)
    animation: _Animation = {"name": f"person {motion.id}", "samplers": [], "channels": []}

    def add(node: int, path: str, values: NDArray[np.float64]) -> None:
        output = file.accessor(values.astype(np.float32))
        animation["samplers"].append({"input": times, "output": output, "interpolation": "LINEAR"})
        target = {"node": node, "path": path}
        animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})

    add(first, "translation", rig.hips)
    for joint in range(len(JOINTS)):
        add(first + joint, "rotation", shortest_signs(rig.rotations[:, joint]))
    return animation


def _together(animations: Sequence[_Animation]) -> _Animation:
    """Return one animation that plays them all, from the same samples."""
    everyone: _Animation = {"name": "everyone", "samplers": [], "channels": []}
    for animation in animations:
        first = len(everyone["samplers"])
        everyone["samplers"].extend(animation["samplers"])
        for channel in animation["channels"]:
            everyone["channels"].append(channel | {"sampler": first + channel["sampler"]})
    return everyone


def shortest_signs(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 4) quaternions of the same rotations, with signs such that neighbours are close."""
    flips = np.where((quaternions[1:] * quaternions[:-1]).sum(-1) < 0, -1.0, 1.0)
    return quaternions * np.concatenate([[1.0], np.cumprod(flips)])[:, None]
