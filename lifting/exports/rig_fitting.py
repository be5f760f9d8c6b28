"""Inverse kinematics: from 17 joint positions to rotations of the rig with bones of constant length.

First the joints are moved as little as possible until all bones have their lengths. Then each bone is
turned so that it points from where the rig has its head to where the joints have its tail. Parents come
before children, so an error of one bone's length does not move the bones after it. The positions of a
bone's two ends do not show how it is twisted about itself. The twist is found like this:

- hips: by the line between the hip joints, and by the direction to the spine joint;
- chest: by the line between the shoulders; the spine below it is turned half as far;
- head: by the nose, which is in front of it; the neck below it is turned half as far;
- thighs and upper arms: by the plane in which knee and elbow are bent, the more the further they are bent;
  straight limbs are not twisted, and the change from one to the other is smoothed over 0.1 s;
- shoulder bones, shins, forearms: turned the shortest way from the bone before;
- feet: by heel and toes, if the detector found them (`world.feet`), otherwise as the shin, since the 17
  joints end at the ankle; a foot whose end would be below the floor is turned up about the ankle until it is
  not;
- hands: as the forearm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ...skeleton import H36M17
from ..vectors import unit
from ..world.feet import foot_axes
from .bone_constraints import settle
from .rig import ENDS, JOINTS, PARENTS, BoneLengths
from .rig_motion import RigMotion, forward

_STRAIGHT, _BENT = 10.0, 35.0  # degrees of knee or elbow flexion between which the twist gains full weight
_NO_TWIST = 0.05  # weight of "not twisted"; it prevails where the limb is straight
_TWIST_SMOOTHING = 0.1  # seconds, standard deviation
_NOSE_AT_LINE, _NOSE_IN_FRONT = 0.01, 0.03  # metres between which the nose gains full weight
_ON_FLOOR = 0.03  # metres above the lower foot at which a foot no longer counts as the supporting one
_FARTHEST_SHIFT = 0.03  # metres: how far the body is moved at most to keep the supporting feet in place
_SUPPORT_SMOOTHING = 0.08  # seconds, standard deviation

_LENGTHS = {  # the pairs of Human3.6M joints whose distances make each length
    "pelvis": (("hip", "lhip"), ("hip", "rhip")),
    "thigh": (("lhip", "lknee"), ("rhip", "rknee")),
    "shin": (("lknee", "lfoot"), ("rknee", "rfoot")),
    "lower_trunk": (("hip", "spine"),),
    "upper_trunk": (("spine", "thorax"),),
    "head": (("thorax", "head"),),
    "shoulder": (("thorax", "lshoulder"), ("thorax", "rshoulder")),
    "upper_arm": (("lshoulder", "lelbow"), ("rshoulder", "relbow")),
    "forearm": (("lelbow", "lwrist"), ("relbow", "rwrist")),
}
_FEET = [H36M17.index("lfoot"), H36M17.index("rfoot")]
_SHORTEST = 0.01  # metres: keeps bones of a degenerate pose from having no length

Vectors = NDArray[np.float64]


def bone_lengths(joints: Vectors) -> BoneLengths:
    """Return the median lengths over all frames and both sides of (T, 17, 3) Human3.6M joints, metres."""

    def median(pairs: tuple[tuple[str, str], ...]) -> float:
        ends = [(H36M17.index(a), H36M17.index(b)) for a, b in pairs]
        distances = [np.linalg.norm(joints[:, b] - joints[:, a], axis=-1) for a, b in ends]
        return max(float(np.median(np.concatenate(distances))), _SHORTEST)

    return BoneLengths(**{name: median(pairs) for name, pairs in _LENGTHS.items()})


def fit_rig(
    joints: Vectors,
    times: NDArray[np.float64],
    support: NDArray[np.float64] | None = None,
    feet: Vectors | None = None,
) -> RigMotion:
    """Fit the rig to a person's joints.

    Args:
        joints: (T, 17, 3) Human3.6M joints in the world, metres, **y up**, all finite.
        times: (T,) seconds of the frames, rising.
        support: (T, 2), 0–1: how far the left and right foot stand on the floor. The whole body is moved so
            that these feet are where the joints have them, in spite of constant bones. Without it, the lower
            foot of each frame is taken.
        feet: (T, 2, 3, 3) heel, big toe and small toe of the left and the right foot, y up, all finite, as of
            `world.feet`. Without them, feet turn with the shins.

    Returns:
        The motion at the same times.

    Raises:
        ValueError: If the shape is another, or a joint is not finite.
    """
    if joints.ndim != 3 or joints.shape[1:] != (17, 3) or not np.isfinite(joints).all():
        raise ValueError(f"expected finite (T, 17, 3) joints, found {joints.shape}")
    lengths = bone_lengths(joints)
    support = _support(joints, times, support)
    settled = settle(joints, _bones(lengths), support)
    fit = _Fit(settled, times, lengths, None if feet is None else foot_axes(feet))
    shift = _support_shift(fit, joints, support)
    for foot in ("lfoot", "rfoot"):
        fit.keep_above_floor(foot, shift)
    world = [fit.rotation[joint] for joint in JOINTS]
    local = [
        turn if parent < 0 else world[parent].inv() * turn
        for turn, parent in zip(world, PARENTS, strict=True)
    ]
    return RigMotion(
        fit.lengths, times, settled[:, 0] + shift, np.stack([turn.as_quat() for turn in local], 1)
    )


class _Fit:
    """World rotations and positions of the rig's joints, bone by bone."""

    def __init__(
        self, joints: Vectors, times: NDArray[np.float64], lengths: BoneLengths, feet: Vectors | None
    ) -> None:
        self.lengths = lengths
        self._rest = dict(zip(JOINTS, self.lengths.rest(), strict=True))
        self._at = {name: joints[:, index] for index, name in enumerate(H36M17.names)}
        self._sigma = _TWIST_SMOOTHING / _step(times)
        self.rotation: dict[str, Rotation] = {}
        self.position: dict[str, Vectors] = {"hips": self._at["hip"]}
        self._trunk()
        for number, side in enumerate("lr"):
            self._limb(side + "thigh", side + "shin", side + "knee", side + "foot", hinge=(1, 0, 0))
            self._follow(side + "foot", side + "shin")
            if feet is not None:
                self.rotation[side + "foot"] = Rotation.from_matrix(feet[:, number])
            self._place(side + "shoulder", "upper_chest")
            self._swing(side + "shoulder", "upper_chest", side + "arm", self._at[side + "shoulder"])
            hinge = (0, -1, 0) if side == "l" else (0, 1, 0)
            self._limb(side + "arm", side + "forearm", side + "elbow", side + "wrist", hinge=hinge)
            self._follow(side + "hand", side + "forearm")

    def _trunk(self) -> None:
        at = self._at
        hip_line, shoulder_line = at["lhip"] - at["rhip"], at["lshoulder"] - at["rshoulder"]
        self.rotation["hips"] = _frame(unit(at["spine"] - at["hip"]), hip_line, keep="x")
        self._place("spine", "hips")
        self.rotation["spine"] = _frame(
            at["spine"] - self.position["spine"], unit(hip_line) + unit(shoulder_line)
        )
        self._place("chest", "spine")
        self.rotation["chest"] = _frame(at["thorax"] - self.position["chest"], shoulder_line)
        self._follow("upper_chest", "chest")
        self._place("neck", "upper_chest")
        neck = self.position["neck"]
        upright = unit(at["head"] - neck)
        chest_left = self.rotation["chest"].apply((1, 0, 0))
        ear_line = _ear_line(upright, at["nose"] - neck, chest_left)
        neck_up = self.rotation["chest"].apply((0, 1, 0)) + upright
        self.rotation["neck"] = _frame(neck_up, chest_left + ear_line)
        self._place("head", "neck")
        self.rotation["head"] = _frame(at["head"] - self.position["head"], ear_line)

    def _place(self, joint: str, parent: str) -> None:
        """Put a joint where its parent's rotation takes it."""
        self.position[joint] = self.position[parent] + self.rotation[parent].apply(self._rest[joint])

    def _follow(self, joint: str, parent: str) -> None:
        """Put a joint in its place and turn it as its parent."""
        self._place(joint, parent)
        self.rotation[joint] = self.rotation[parent]

    def keep_above_floor(self, foot: str, shift: Vectors) -> None:
        """Turn a foot about the ankle's left-right axis, so that its end is not below y = 0."""
        height = (self.position[foot] + shift)[:, 1]
        end = self.rotation[foot].apply(self.lengths.ends()[ENDS.index(foot)])
        axis = self.rotation[foot].apply((1, 0, 0))
        # Turned by b, the end's height above the ankle is reach · cos(b − phase).
        across = np.cross(axis, end)[:, 1]
        reach, phase = np.hypot(end[:, 1], across), np.arctan2(across, end[:, 1])
        level = np.arccos(np.clip(-height / np.maximum(reach, 1e-9), -1, 1))
        turns = np.stack([phase - level, phase + level])
        turns = (turns + np.pi) % (2 * np.pi) - np.pi
        turn = np.take_along_axis(turns, np.abs(turns).argmin(0)[None], 0)[0]
        turn = np.where(height + end[:, 1] < 0, turn, 0)
        self.rotation[foot] = Rotation.from_rotvec(axis * turn[:, None]) * self.rotation[foot]

    def _swing(self, joint: str, parent: str, tail: str, target: Vectors) -> None:
        """Turn a bone the shortest way from its parent, so that its tail points at the target."""
        rest = self._rest[tail]
        self.rotation[joint] = _shortest(self.rotation[parent], rest, target - self.position[joint])

    def _limb(
        self, upper: str, lower: str, middle: str, end: str, *, hinge: tuple[float, float, float]
    ) -> None:
        """Turn the two bones of a limb; `hinge` is the middle joint's axis in the rest pose."""
        parent = JOINTS[PARENTS[JOINTS.index(upper)]]
        self._place(upper, parent)
        self._swing(upper, parent, lower, self._at[middle])
        swing = self.rotation[upper]
        along = unit(swing.apply(self._rest[lower]))
        fore = unit(self._at[end] - self._at[middle])
        normal = np.cross(along, fore)
        bend = np.degrees(np.arctan2(np.linalg.norm(normal, axis=-1), (along * fore).sum(-1)))
        weight = np.clip((bend - _STRAIGHT) / (_BENT - _STRAIGHT), 0, 1)
        untwisted = swing.apply(hinge)
        angle = np.arctan2(
            (np.cross(untwisted, normal) * along).sum(-1), (untwisted * normal).sum(-1) + 1e-12
        )
        turn = gaussian_filter1d(weight * np.exp(1j * angle) + _NO_TWIST, self._sigma, mode="nearest")
        self.rotation[upper] = Rotation.from_rotvec(along * np.angle(turn)[:, None]) * swing
        self._place(lower, upper)
        tail = JOINTS[JOINTS.index(lower) + 1]
        self._swing(lower, upper, tail, self._at[end])


def _ear_line(upright: Vectors, nose: Vectors, chest_left: Vectors) -> Vectors:
    """Return the direction from the right to the left ear: (T, 3), unit length.

    The nose (given from the neck) lies in front of the line from the neck to the top of the head. The closer
    it is to that line, the less reliable is the direction of the face, and the more weight has the chest.
    """
    across = np.cross(upright, nose)
    offset = np.linalg.norm(across, axis=-1)  # metres: how far the nose is in front of the line
    # If the head leans far back, its nose is behind the line, but the face still looks forward.
    side = np.where((across * chest_left).sum(-1) < 0, -1.0, 1.0)
    weight = np.clip((offset - _NOSE_AT_LINE) / (_NOSE_IN_FRONT - _NOSE_AT_LINE), 0, 1)[:, None]
    return unit(weight * side[:, None] * unit(across) + (1 - weight) * chest_left)


def _bones(lengths: BoneLengths) -> dict[tuple[str, str], float]:
    """Return the length of the line between each pair of joints that the rig keeps apart."""
    bones = {ends: getattr(lengths, name) for name, pairs in _LENGTHS.items() for ends in pairs}
    return bones | {("lhip", "rhip"): 2 * lengths.pelvis}


def _support(
    joints: Vectors, times: NDArray[np.float64], support: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return (T, 2): how far each foot stands, smoothed; by the height above the lower foot if not known."""
    if support is None:
        height = joints[:, _FEET, 1] - joints[:, _FEET, 1].min(1, keepdims=True)
        support = np.clip(1 - height / _ON_FLOOR, 0, 1)
    return np.asarray(gaussian_filter1d(support, _SUPPORT_SMOOTHING / _step(times), axis=0, mode="nearest"))


def _support_shift(fit: _Fit, joints: Vectors, support: NDArray[np.float64]) -> Vectors:
    """Return (T, 3): how far the body has to be moved so that the supporting feet are where they were."""
    world = np.stack([fit.rotation[joint].as_quat() for joint in JOINTS], 1)
    positions = forward(fit.lengths, fit.position["hips"], world)
    feet = positions[:, [JOINTS.index("lfoot"), JOINTS.index("rfoot")]]
    weight = support[..., None]
    shift = ((joints[:, _FEET] - feet) * weight).sum(1) / np.maximum(weight.sum(1), 1)
    length = np.linalg.norm(shift, axis=-1, keepdims=True)
    return shift * np.minimum(1, _FARTHEST_SHIFT / np.maximum(length, 1e-9))


def _step(times: NDArray[np.float64]) -> float:
    """Return the usual time between frames, in seconds."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0


def _frame(up: Vectors, left: Vectors, *, keep: str = "y") -> Rotation:
    """Return the rotations whose y axis points up and whose x axis points left; `keep` is met exactly."""
    y, x = unit(up), unit(left)
    z = unit(np.cross(x, y))
    degenerate = (
        np.linalg.norm(z, axis=-1) < 0.5
    )  # up and left are nearly parallel: any axis at right angles is taken
    if degenerate.any():
        across = np.eye(3)[np.abs(y[degenerate]).argmin(-1)]
        z[degenerate] = unit(np.cross(y[degenerate], across))
    if keep == "x":
        y = np.cross(z, x)
    else:
        x = np.cross(y, z)
    return Rotation.from_matrix(np.stack([x, y, z], -1))


def _shortest(parent: Rotation, rest: Vectors, towards: Vectors) -> Rotation:
    """Return `parent` turned the shortest way that makes its `rest` direction point `towards`."""
    now, then = unit(parent.apply(rest)), unit(towards)
    axis = np.cross(now, then)
    sine, cosine = np.linalg.norm(axis, axis=-1), (now * then).sum(-1)
    opposite = (sine < 1e-9) & (cosine < 0)
    if opposite.any():
        across = np.eye(3)[np.abs(now[opposite]).argmin(-1)]
        axis[opposite] = unit(np.cross(now[opposite], across))
        sine = np.where(opposite, 1.0, sine)
    angle = np.arctan2(np.where(opposite, 0.0, sine), cosine)
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-12)[:, None] * angle[:, None]) * parent
