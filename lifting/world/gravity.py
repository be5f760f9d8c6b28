"""Find which way is up, by the people who stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...parts import in_parts, parts_of
from ...skeleton import H36M17
from ..vectors import unit

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up in the space of a level camera."""

_J = {name: index for index, name in enumerate(H36M17.names)}
_BEND = 8.0  # degrees between legs and trunk: a pose that is bent so far has the weight 0.6, a straight one 1
# Weights of the body's directions, fitted by least squares to simulated footage of held-out people.
_DIRECTIONS = {
    "thighs": 0.16,
    "spine": 0.5,
    "chest": -0.16,
    "neck": 0.14,
    "body": 0.25,
    "front": 0.04,
    "feet": 0.05,
}
_ENOUGH = 8.0  # the least sum of weights from which up is found
_MOST = 0.8  # if more than this share of the weight is upside down, the camera is upside down
# Degrees between a body and the camera's up: between the two a person lies, above them is upside down.
_LYING = (65.0, 115.0)


@dataclass(frozen=True)
class Upright:
    """The up direction that people's bodies show.

    Attributes:
        up: (3,) unit vector in the space of the poses.
        poses: the sum of the poses' weights: 1 for a straight pose, less for a bent one.
    """

    up: NDArray[np.float64]
    poses: float


def upright(poses: NDArray[np.float32], turn: NDArray[np.float64]) -> Upright | None:
    """Find up as the mean direction of one person's body while standing.

    The trunk of a standing person leans forward, and the neck leans further. A weighted sum of seven
    directions of the body is closer to the vertical than each of them.

    Args:
        poses: (N, 17, 3) H36M17 of one person; NaN where not lifted.
        turn: (N, 3, 3) the rotation of each pose into a space that does not turn.

    Returns:
        The direction in that space; None if the person stands in too few frames.
    """
    known = np.isfinite(poses).all((1, 2))
    if not known.all():
        poses, turn = poses[known], turn[known]
    if not len(poses):
        return None
    # Part by part: the directions of an hour of poses take much memory.
    weight, tilt = in_parts(_straightness, poses, turn).T
    # Lying poses get no weight. Neither do poses upside down. But if almost all of them are upside down, the
    # camera is, and the other poses get no weight.
    upside_down = weight[tilt > _LYING[1]].sum() > _MOST * weight.sum()
    weight[tilt < _LYING[1] if upside_down else tilt > _LYING[0]] = 0
    if weight.sum() < _ENOUGH:
        return None
    total = sum(weight[part] @ _direction(poses[part], turn[part]) for part in parts_of(len(poses)))
    return Upright(unit(np.asarray(total, np.float64)), float(weight.sum()))


def _straightness(poses: NDArray[np.float32], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) of each pose: its weight, less if it is bent; degrees between the body and the camera's up."""
    joint = partial(_joint, poses, turn)
    feet, hip, thorax = (joint("lfoot") + joint("rfoot")) / 2, joint("hip"), joint("thorax")
    bend = np.degrees(np.arccos(np.clip((unit(hip - feet) * unit(thorax - hip)).sum(1), -1, 1)))
    tilt = np.degrees(np.arccos(np.clip(unit(thorax - feet) @ CAMERA_UP, -1, 1)))
    return np.stack([np.exp(-0.5 * (bend / _BEND) ** 2), tilt], 1)


def _direction(poses: NDArray[np.float32], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3): the weighted sum of the body's directions in each pose."""
    joint = partial(_joint, poses, turn)

    def bone(start: str, end: str) -> NDArray[np.float64]:
        return unit(joint(end) - joint(start))

    feet, thorax = (joint("lfoot") + joint("rfoot")) / 2, joint("thorax")
    across = bone("rhip", "lhip") + bone("rshoulder", "lshoulder")
    front = unit(np.cross(across, unit(thorax - joint("hip"))))
    directions = {
        "thighs": bone("lknee", "lhip") + bone("rknee", "rhip"),
        "spine": bone("hip", "spine"),
        "chest": bone("spine", "thorax"),
        "neck": bone("thorax", "head"),
        "body": unit(thorax - feet),
        "front": front,
        "feet": np.cross(bone("rfoot", "lfoot"), front),
    }
    return np.asarray(sum(_DIRECTIONS[name] * values for name, values in directions.items()), np.float64)


def _joint(poses: NDArray[np.float32], turn: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """(N, 3): a joint in the space that does not turn."""
    return turned(turn, poses[:, _J[name]])


def turned(turn: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rotate points (N, …, 3) by (N, 3, 3)."""
    return np.asarray(np.einsum("nij,n...j->n...i", turn, points), np.float64)


def agree(people: list[Upright]) -> NDArray[np.float64]:
    """Find the up direction that most people share: (3,).

    Raises:
        ValueError: No person is given.
    """
    if not people:
        raise ValueError("expected at least one person who stands")
    ups = np.array([person.up for person in people])
    weights = np.sqrt([person.poses for person in people])
    apart = np.degrees(np.arccos(np.clip(ups @ ups.T, -1, 1)))
    nearest = ups[np.argmin((weights * np.minimum(apart, 45)).sum(1))]
    weights *= 1 / (1 + (np.degrees(np.arccos(np.clip(ups @ nearest, -1, 1))) / 15) ** 2) ** 2
    return unit(np.asarray(weights @ ups, np.float64))


def camera_axes(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the rotation world ← camera of a camera that sees `up`.

    Args:
        up: (3,) unit vector in camera space.

    Returns:
        (3, 3): rows are the world's x (horizontal, to the camera's right), y and z (up) in camera space.
    """
    right = np.array([1.0, 0.0, 0.0]) - up[0] * up
    if np.linalg.norm(right) < 0.3:  # on its side: the camera's forward stays forward
        forward = unit(np.array([0.0, 0.0, 1.0]) - up[2] * up)
        right = np.cross(forward, up)
    right = unit(right)
    return np.stack([right, np.cross(up, right), up])


def pitch_and_roll(up: NDArray[np.float64]) -> tuple[float, float]:
    """Give a camera's pitch (positive: looks up) and roll (positive: turned clockwise), degrees."""
    pitch = np.degrees(np.arcsin(np.clip(up[2], -1, 1)))
    return float(pitch), float(np.degrees(np.arctan2(-up[0], -up[1])))


def up_of(pitch: float, roll: float) -> NDArray[np.float64]:
    """Give the up direction (3,) in the space of a camera with this pitch and roll, degrees."""
    p, r = np.radians(pitch), np.radians(roll)
    return np.array([-np.sin(r) * np.cos(p), -np.cos(r) * np.cos(p), np.sin(p)])
