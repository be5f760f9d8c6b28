import json
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from walking import motions_of, table_of, walking

from videopose.lifting.exports.glb import encode
from videopose.lifting.exports.motion import Motion
from videopose.lifting.exports.rig import NAMES
from videopose.lifting.exports.style import Style

KINDS = {5126: np.float32, 5125: np.uint32, 5121: np.uint8}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A GLB file as the specification says to read it."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert (kind, size % 4) == (b"JSON", 0)
        self.document: dict[str, Any] = json.loads(data[20 : 20 + size])
        assert data[24 + size : 28 + size] == b"BIN\0"
        self.binary = data[28 + size :]

    def array(self, accessor: int) -> NDArray[Any]:
        entry = self.document["accessors"][accessor]
        view = self.document["bufferViews"][entry["bufferView"]]
        kind, width = KINDS[entry["componentType"]], WIDTHS[entry["type"]]
        assert view["byteOffset"] % 4 == 0
        values = np.frombuffer(self.binary, kind, entry["count"] * width, view["byteOffset"])
        return values.reshape(-1, width)


@pytest.fixture(scope="module")
def motions() -> list[Motion]:
    people = {1: walking(40)["joints"], 7: walking(30, heading=180)["joints"]}
    return motions_of(table_of(people, first={7: 15}))


@pytest.fixture(scope="module")
def glb(motions: list[Motion]) -> Glb:
    return Glb(encode(motions, Style(title="walk")))


def test_every_person_has_an_animation_and_the_first_plays_all(glb: Glb) -> None:
    animations = glb.document["animations"]
    assert [each["name"] for each in animations] == ["everyone", "person 1", "person 7"]
    assert len(animations[0]["channels"]) == sum(len(each["channels"]) for each in animations[1:])


def test_one_person_has_one_animation(motions: list[Motion]) -> None:
    document = Glb(encode(motions[:1], Style())).document
    assert [each["name"] for each in document["animations"]] == ["person 1"]


def test_people_keep_their_time(glb: Glb) -> None:
    starts = [glb.array(each["samplers"][0]["input"])[0, 0] for each in glb.document["animations"][1:]]
    assert starts == pytest.approx([0, 0.5])


def test_the_animated_nodes_are_where_the_rig_is(glb: Glb, motions: list[Motion]) -> None:
    nodes = glb.document["nodes"]
    for skin, animation, motion in zip(
        glb.document["skins"], glb.document["animations"][1:], motions, strict=True
    ):
        keys = {
            (channel["target"]["node"], channel["target"]["path"]): glb.array(
                animation["samplers"][channel["sampler"]]["output"]
            )[12]
            for channel in animation["channels"]
        }
        found: dict[int, NDArray[np.float64]] = {}

        def visit(node: int, position: NDArray[np.float64], turn: Rotation, keys=keys, found=found) -> None:
            offset = keys.get((node, "translation"), nodes[node].get("translation", (0, 0, 0)))
            found[node] = position + turn.apply(offset)
            turn = turn * Rotation.from_quat(keys.get((node, "rotation"), (0, 0, 0, 1)))
            for child in nodes[node].get("children", ()):
                visit(child, found[node], turn)

        visit(skin["skeleton"], np.zeros(3), Rotation.identity())
        positions = np.stack([found[joint] for joint in skin["joints"]])
        assert positions == pytest.approx(motion.rig.positions()[12], abs=1e-5)
        assert [nodes[joint]["name"] for joint in skin["joints"]] == list(NAMES["plain"])


def test_the_body_is_closed_stands_on_the_floor_and_faces_outwards(glb: Glb) -> None:
    for mesh in glb.document["meshes"]:
        (primitive,) = mesh["primitives"]
        attributes = {name: glb.array(index) for name, index in primitive["attributes"].items()}
        points, normals = attributes["POSITION"], attributes["NORMAL"]
        assert -0.01 < points[:, 1].min() < 0.02
        assert 1.6 < points[:, 1].max() < 1.8
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
        triangles = glb.array(primitive["indices"]).reshape(-1, 3)
        corners = points[triangles]
        face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert ((face * normals[triangles].sum(1)).sum(1) >= -1e-9).all()
        volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        assert 0.04 < volume < 0.11  # cubic metres; inside out it would be negative
