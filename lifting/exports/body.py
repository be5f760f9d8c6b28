"""A simple body of rounded pieces, one or two a bone, so that an exported skeleton can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rig import ENDS, JOINTS, PARENTS, BoneLengths

_SIDES = 14  # corners of a piece's cross-section
_CAP = 4  # rings of each rounded end


@dataclass(frozen=True)
class Body:
    """A mesh in the rest pose, metres, y up; every vertex moves with one joint.

    Attributes:
        vertices: (V, 3) float32.
        normals: (V, 3) float32, unit length, outwards.
        triangles: (F, 3) uint32, counter-clockwise seen from outside.
        joints: (V,) uint8: the joint of the rig that each vertex moves with.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    joints: NDArray[np.uint8]


def rest_positions(lengths: BoneLengths) -> NDArray[np.float64]:
    """Return (20, 3): the joints in the rest pose, metres, y up."""
    positions = lengths.rest()
    for joint, parent in enumerate(PARENTS[1:], 1):
        positions[joint] += positions[parent]
    return positions


def make_body(lengths: BoneLengths) -> Body:
    """Return a body for these bone lengths."""
    at = dict(zip(JOINTS, rest_positions(lengths), strict=True))
    end = {joint: at[joint] + offset for joint, offset in zip(ENDS, lengths.ends(), strict=True)}
    wide, hip = 0.72 * lengths.shoulder, lengths.pelvis  # half the breadth of the chest; of the pelvis
    up = np.array([0, 1, 0])
    pieces = [
        _piece("hips", at["hips"] - 0.02 * up, at["spine"], (1.15 * hip, 0.9 * hip), 0.75),
        _piece("spine", at["spine"], at["chest"], (0.9 * hip, 0.9 * hip), 0.75),
        _piece("chest", at["chest"], at["upper_chest"], (0.8 * wide, wide), 0.8),
        _piece("upper_chest", at["upper_chest"], at["neck"] - 0.05 * up, (wide, 0.83 * wide), 0.75),
        _piece("neck", at["neck"] - 0.04 * up, at["head"] + 0.02 * up, (0.052, 0.05), 1),
        _piece("head", at["head"] + 0.02 * up, end["head"] - 0.01 * up, (0.068, 0.082), 1.2),
    ]
    for side in "lr":
        out = np.array([1 if side == "l" else -1, 0, 0])
        toe = end[side + "foot"] * (1, 0, 1) + 0.025 * up
        heel = at[side + "foot"] * (1, 0, 1) + (0, 0.03, -0.03)
        pieces += [
            _piece(side + "thigh", at[side + "thigh"], at[side + "shin"], (0.078, 0.055), 1),
            _piece(side + "shin", at[side + "shin"], at[side + "foot"], (0.055, 0.036), 1),
            _piece(side + "foot", heel, toe, (0.034, 0.03), 0.8),
            _piece(side + "shoulder", at[side + "shoulder"], at[side + "arm"], (0.05, 0.055), 1),
            _piece(side + "arm", at[side + "arm"], at[side + "forearm"], (0.05, 0.04), 1),
            _piece(side + "forearm", at[side + "forearm"], at[side + "hand"], (0.038, 0.027), 1),
            _piece(side + "hand", at[side + "hand"], end[side + "hand"] + 0.03 * out, (0.032, 0.028), 0.55),
        ]
    first = np.cumsum([0, *(len(piece.vertices) for piece in pieces[:-1])])
    triangles = [piece.triangles + start for piece, start in zip(pieces, first, strict=True)]
    return Body(
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.normals for piece in pieces]),
        np.concatenate(triangles).astype(np.uint32),
        np.concatenate([piece.joints for piece in pieces]),
    )


def _piece(
    joint: str,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radii: tuple[float, float],
    depth: float,
) -> Body:
    """Return a rounded, tapered rod from `start` to `end`; `depth` scales it from front to back.

    The rounded ends reach beyond both points by half a radius.
    """
    along = end - start
    length = max(float(np.linalg.norm(along)), 1e-6)
    axis = along / length
    # `deep` is the direction from back to front, or up for a bone that points to the front.
    front = np.array([0.0, 1, 0]) if abs(axis[2]) > 0.7 else np.array([0.0, 0, 1])
    deep = front - (front @ axis) * axis
    deep /= np.linalg.norm(deep)
    wide = np.cross(deep, axis)
    angles = np.linspace(0, np.pi / 2, _CAP + 1)
    heights = np.concatenate([-0.5 * radii[0] * np.cos(angles), length + 0.5 * radii[1] * np.sin(angles)])
    widths = np.concatenate([radii[0] * np.sin(angles), radii[1] * np.cos(angles)])
    turn = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    ring = np.cos(turn)[:, None] * wide + np.sin(turn)[:, None] * deep * depth
    vertices = start + heights[:, None, None] * axis + widths[:, None, None] * ring
    rings = len(heights)
    corner = np.arange(rings * _SIDES).reshape(rings, _SIDES)
    after = np.roll(corner, -1, axis=1)
    quads = np.stack([corner[:-1], after[:-1], after[1:], corner[1:]], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    points = vertices.reshape(-1, 3)
    return Body(
        points.astype(np.float32),
        _normals(points, triangles, start, axis).astype(np.float32),
        triangles.astype(np.uint32),
        np.full(len(points), JOINTS.index(joint), np.uint8),
    )


def _normals(
    points: NDArray[np.float64],
    triangles: NDArray[np.int64],
    start: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the mean direction of the faces around each vertex; the axis where they vanish."""
    corners = points[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    outwards = np.sign((points - start) @ axis)[:, None] * axis
    return np.where(size > 1e-9, normals / np.maximum(size, 1e-9), outwards)
