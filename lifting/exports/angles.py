"""Joint angles of a person, by ISB's conventions as far as 17 joints allow; see `docs/joint-angles.md`.

Segments have ISB's axes: X forward, Y up, Z to the right (Wu et al., J. Biomech. 2002 and 2005). The joints
show no bony landmarks, and how the pelvis is tilted against the trunk not at all. Pelvis and thorax
therefore share the direction from the hips to the thorax as their long axis; the pelvis turns with the line
between the hips and the thorax with the line between the shoulders. The pelvis is upright when that
direction leans back by 5°, as in OpenSim's full-body models. A thigh's or an upper arm's turn about itself
is that of the plane in which knee or elbow is bent.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...skeleton import H36M17
from ..vectors import unit
from ..world.feet import foot_axes
from .axes import Z_UP_TO_Y_UP

_NEUTRAL_LEAN = 5.0  # degrees: how far behind the hips a person's shoulders are when the pelvis is upright
_HINGE_SHOWS = 20.0  # degrees of knee or elbow flexion from which the plane of bending is reliable
_PROJECTION_SHOWS = np.sin(
    np.radians(20)
)  # of an arm's length: from this length on, the direction of its projection is reliable

Angles = dict[str, NDArray[np.float64]]
Vectors = NDArray[np.float64]

_TRANSLATIONS = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
NAMES = (
    *(
        "pelvis_tilt",
        "pelvis_list",
        "pelvis_rotation",
        "trunk_lean_forward",
        "trunk_lean_side",
        "trunk_twist",
    ),
    *(
        f"{name}_{side}"
        for side in ("right", "left")
        for name in (
            *("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion"),
            *("shoulder_flexion", "shoulder_abduction", "elbow_flexion"),
        )
    ),
)
"""The angles of `joint_angles`, in order."""

ANKLES = ("ankle_flexion_right", "ankle_flexion_left")
"""Those that come after them if heels and toes are known."""


def joint_angles(joints: Vectors, feet: Vectors | None = None) -> Angles:
    """Return a person's joint angles.

    Args:
        joints: (T, 17, 3) Human3.6M joints in the world, metres, z up; NaN in frames without a pose.
        feet: (T, 2, 3, 3) heel, big toe and small toe of the left and the right foot there, as of
            `world.feet`. None if they are not known.

    Returns:
        For each of `NAMES`, and of `ANKLES` with `feet`, (T,) degrees. NaN in frames without a pose, and
        where the joints do not show the angle. No angle jumps by 360° from one frame to the next that has it.
    """
    body = _Body(joints)
    rotation, list_, tilt = _euler(body.pelvis, "YXZ")
    angles = {"pelvis_tilt": -tilt, "pelvis_list": list_, "pelvis_rotation": rotation}
    angles |= _trunk(body)
    for side, outwards in (("right", 1), ("left", -1)):
        thigh, shin, arm, forearm = (body.segment(side, name) for name in ("thigh", "shin", "arm", "forearm"))
        flexion, adduction, turn = _ball_joint(body.pelvis, thigh, shin, outwards, bends=-1)
        down, ahead, out = _in_thorax(body, arm, outwards)
        angles |= {
            f"hip_flexion_{side}": flexion,
            f"hip_adduction_{side}": adduction,
            f"hip_rotation_{side}": turn,
            f"knee_flexion_{side}": _between(thigh, shin),
            f"shoulder_flexion_{side}": _projected(ahead, down),
            f"shoulder_abduction_{side}": _projected(out, down),
            f"elbow_flexion_{side}": _between(arm, forearm),
        }
        if feet is not None:
            angles[f"ankle_flexion_{side}"] = _ankle(shin, feet, side)
    names = NAMES if feet is None else (*NAMES, *ANKLES)
    angles = {name: np.where(body.valid, angles[name], np.nan) for name in names}
    # Shoulder angles are not made continuous: a raised arm is at 180°, whatever came before.
    return {name: values if "shoulder" in name else _continuous(values) for name, values in angles.items()}


def opensim_coordinates(joints: Vectors, feet: Vectors | None = None) -> Angles:
    """Return a person's pose as the coordinates that OpenSim's full-body models have.

    Args:
        joints: (T, 17, 3) Human3.6M joints in the world, metres, z up; all finite.
        feet: Heels and toes, as of `joint_angles`. Without them there are no ankle angles.

    Returns:
        (T,) each: angles in degrees, in OpenSim's order of rotation and with its signs; `pelvis_tx`, `_ty`
        and `_tz` in metres, y up. Turns about a straight limb are not shown, so they are interpolated.
    """
    body = _Body(joints)
    tilt, list_, rotation = _euler(body.pelvis, "ZXY")
    extension, bending, lumbar_rotation = _euler(body.lower_trunk.inv() * body.thorax, "ZXY")
    hip = joints[:, 0] @ Z_UP_TO_Y_UP.T
    coordinates = {"pelvis_tilt": tilt, "pelvis_list": list_, "pelvis_rotation": rotation}
    coordinates |= dict(zip(_TRANSLATIONS, hip.T, strict=True))
    for side, outwards in (("right", 1), ("left", -1)):
        end = side[0]
        thigh, shin, arm, forearm = (body.segment(side, name) for name in ("thigh", "shin", "arm", "forearm"))
        hip_angles = _ball_joint(body.pelvis, thigh, shin, outwards, bends=-1)
        arm_angles = _ball_joint(body.thorax, arm, forearm, outwards, bends=1)
        for name, values in zip(("flexion", "adduction", "rotation"), hip_angles, strict=True):
            coordinates[f"hip_{name}_{end}"] = values
        coordinates[f"knee_angle_{end}"] = _between(thigh, shin)
        if feet is not None:
            coordinates[f"ankle_angle_{end}"] = _ankle(shin, feet, side)
        for name, values in zip(("flex", "add", "rot"), arm_angles, strict=True):
            coordinates[f"arm_{name}_{end}"] = values
        coordinates[f"elbow_flex_{end}"] = _between(arm, forearm)
    coordinates |= {
        "lumbar_extension": extension,
        "lumbar_bending": bending,
        "lumbar_rotation": lumbar_rotation,
    }
    return {
        name: values if name in _TRANSLATIONS else _filled(_continuous(values))
        for name, values in coordinates.items()
    }


def angle_ranges(angles: Mapping[str, NDArray[np.float64]]) -> dict[str, tuple[float, float, float]]:
    """Return the least, the mean and the greatest value of each angle that has any."""
    return {
        name: (float(np.nanmin(values)), float(np.nanmean(values)), float(np.nanmax(values)))
        for name, values in angles.items()
        if np.isfinite(values).any()
    }


class _Body:
    """The segments of a person in a world with y up (X to the camera's right, Z towards the camera)."""

    def __init__(self, joints: Vectors) -> None:
        turned = joints @ Z_UP_TO_Y_UP.T
        self._at = {name: turned[:, index] for index, name in enumerate(H36M17.names)}
        self.valid = np.isfinite(turned).all((1, 2))
        at = self._at
        self.trunk = at["thorax"] - at["hip"]
        lower_trunk = self._frame(self.trunk, at["rhip"] - at["lhip"], keep_right=True)
        self.pelvis = lower_trunk * Rotation.from_euler("z", -_NEUTRAL_LEAN, degrees=True)
        self.lower_trunk = lower_trunk
        self.thorax = self._frame(self.trunk, at["rshoulder"] - at["lshoulder"])
        self.hips, self.shoulders = at["rhip"] - at["lhip"], at["rshoulder"] - at["lshoulder"]

    def segment(self, side: str, name: str) -> Vectors:
        """Return the vector (T, 3) from a limb's upper to its lower end."""
        ends = {"thigh": "hip knee", "shin": "knee foot", "arm": "shoulder elbow", "forearm": "elbow wrist"}
        upper, lower = ends[name].split()
        return self._at[side[0] + lower] - self._at[side[0] + upper]

    def _frame(self, up: Vectors, right: Vectors, *, keep_right: bool = False) -> Rotation:
        """Return the segment's axes; the identity in frames without a pose."""
        y, z = unit(up), unit(right)
        x = unit(np.cross(y, z))
        if keep_right:
            y = np.cross(z, x)
        else:
            z = np.cross(x, y)
        return _rotation(np.stack([x, y, z], -1))


def _trunk(body: _Body) -> Angles:
    up = np.array([0.0, 1.0, 0.0])
    across = unit(body.hips) + unit(body.shoulders)
    ahead = unit(np.cross(up, across))
    right = np.cross(ahead, up)
    height, forward = body.trunk @ up, (body.trunk * ahead).sum(-1)
    axis = unit(body.trunk)

    def flat(line: Vectors) -> Vectors:
        return line - (line * axis).sum(-1, keepdims=True) * axis

    hips, shoulders = flat(body.hips), flat(body.shoulders)
    twist = np.arctan2((np.cross(hips, shoulders) * axis).sum(-1), (hips * shoulders).sum(-1))
    return {
        "trunk_lean_forward": np.degrees(np.arctan2(forward, height)),
        "trunk_lean_side": np.degrees(np.arctan2((body.trunk * right).sum(-1), np.hypot(height, forward))),
        "trunk_twist": np.degrees(twist),
    }


def _ball_joint(
    parent: Rotation, segment: Vectors, child: Vectors, outwards: int, *, bends: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return flexion, adduction and inward rotation of a segment that hangs down: Cardan angles Z, X, Y.

    outwards: 1 for the right side, −1 for the left. bends: 1 if the child bends forwards, −1 if backwards.
    The rotation is NaN if the child is too straight to show it.
    """
    down = _parent_axes(parent, unit(segment))
    flexion = np.degrees(np.arctan2(down[:, 0], -down[:, 1]))
    adduction = -outwards * np.degrees(np.arcsin(np.clip(down[:, 2], -1, 1)))
    y = -unit(segment)
    z = bends * unit(np.cross(segment, child))
    axes = _rotation(np.stack([np.cross(y, z), y, z], -1))
    turn = outwards * _euler(parent.inv() * axes, "ZXY")[2]
    return flexion, adduction, np.where(_between(segment, child) >= _HINGE_SHOWS, turn, np.nan)


def _in_thorax(
    body: _Body, arm: Vectors, outwards: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return how far a unit arm points down, ahead and outwards, seen from the thorax."""
    x, y, z = _parent_axes(body.thorax, unit(arm)).T
    return -y, x, outwards * z


def _projected(sideways: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle between straight down and a limb's projection; NaN if the projection is too short."""
    shown = np.hypot(sideways, down) >= _PROJECTION_SHOWS
    angles = np.degrees(np.arctan2(sideways, down))
    angles = np.where(angles < -90, angles + 360, angles)  # an arm held up is at 180°, not at −180°
    return _continuous_runs(np.where(shown, angles, np.nan))


def _between(first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """Return the angle between two vectors, 0–180 degrees."""
    sine = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(sine, (first * second).sum(-1)))


def _ankle(shin: Vectors, feet: Vectors, side: str) -> NDArray[np.float64]:
    """Return by how many degrees the toes are lifted from a right angle to the shin."""
    ahead = foot_axes(feet @ Z_UP_TO_Y_UP.T)[:, ("left", "right").index(side), :, 2]
    return _between(shin, ahead) - 90


def _parent_axes(parent: Rotation, vectors: Vectors) -> Vectors:
    """Return vectors in a segment's own axes; NaN stays NaN."""
    return np.einsum("tji,tj->ti", parent.as_matrix(), vectors)


def _euler(rotation: Rotation, order: str) -> NDArray[np.float64]:
    """Return three (T,) arrays of intrinsic Euler angles, degrees."""
    with warnings.catch_warnings():  # scipy warns of gimbal lock, where any split of two angles is right
        warnings.simplefilter("ignore")
        return rotation.as_euler(order, degrees=True).T  # type: ignore[call-overload]


def _rotation(matrices: NDArray[np.float64]) -> Rotation:
    """Return rotations; the identity where a matrix is not finite or not a rotation."""
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all((1, 2)))
    determinants = np.linalg.det(np.where(finite[:, None, None], matrices, 0))
    sound = finite & np.asarray(np.abs(determinants - 1) < 1e-3)
    return Rotation.from_matrix(np.where(sound[:, None, None], matrices, np.eye(3)))


def _continuous(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return angles without jumps of 360°, also across frames that have none; NaN stays NaN."""
    result = angles.copy()
    known = np.isfinite(angles)
    result[known] = np.unwrap(angles[known], period=360)
    return result


def _continuous_runs(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return angles without jumps of 360° in each run of frames that have one; NaN stays NaN."""
    starts = np.flatnonzero(np.diff(np.isfinite(angles))) + 1
    return np.concatenate([np.unwrap(run, period=360) for run in np.split(angles, starts)])


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with NaN interpolated; zero if there is no other value."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), known, values[known])
