"""Compute joints from paths of pelvis, feet and hands, with a donor's upper body and inverse kinematics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from ...datasets.motion_capture import NUM_STORED_JOINTS
from .donor import Donor
from .inverse_kinematics import Points, two_bones, unit
from .key_poses import SIDES, WRIST, Body, Hand, KeyPose

# The least height of each joint's centre above the floor, metres. Arms and ankles are raised separately.
_CLEARANCE = np.array(
    [0.09, 0.08, 0.05, 0.05, 0.08, 0.05, 0.05, 0.08, 0.08, 0.05, 0.08, 0.05, 0, 0, 0.05, 0, 0, 0.04, 0.04]
)
_GIRTH, _THIGH_GIRTH = 0.14, 0.075  # least distance of wrists from the middle line of trunk and thigh, metres
_LEGS = ((4, 5, 6), (1, 2, 3))
_ARMS = ((11, 12, 13), (14, 15, 16))


@dataclass(frozen=True)
class Tracks:
    """The values of `KeyPose` for every frame. Each hand has goals with weights (T,) that add up to 1."""

    pelvis: Points
    turn: Rotation
    bend: Points
    head: Points
    feet: Points
    knees: Points
    hands: tuple[Sequence[tuple[Hand, Points]], Sequence[tuple[Hand, Points]]]
    freedom: Points


def body_of(donor: Donor) -> Body:
    """Return the lengths of a donor's body."""
    n = donor.lengths
    return Body(n[1], n[2], n[3], n[7] + n[8] - 0.03, n[12] + n[13])


def wander(rng: Generator, frames: int, width: int, rate: float, seconds: float = 0.7) -> Points:
    """Sample smooth noise (frames, width) with a spread of about 1 and a time scale of `seconds`."""
    spread = seconds * rate
    noise = gaussian_filter1d(rng.standard_normal((frames + int(8 * spread), width)), spread, axis=0)
    kept = noise[int(4 * spread) :][:frames]
    return kept * np.sqrt(2 * np.sqrt(np.pi) * spread)


def eased(share: Points) -> Points:
    """Return the minimum-jerk transition from 0 to 1 (Flash and Hogan, 1985)."""
    t = np.clip(share, 0, 1)
    return t * t * t * (10 + t * (6 * t - 15))


def _bump(share: Points) -> Points:
    t = np.clip(share, 0, 1)
    return 16 * t * t * (1 - t) ** 2


def interpolate(keys: Sequence[KeyPose], holds: Points, moves: Points, rate: float, rng: Generator) -> Tracks:
    """Hold each pose for its seconds (K,) and move on to the next in (K − 1,), with idle sway on top.

    Feet that change place are lifted; who rises or sits down leans forward on the way; hands and head keep
    times of their own. At least two poses.
    """
    begins = np.cumsum(holds)[:-1] + np.cumsum(moves) - moves
    frames = round(float(holds.sum() + moves.sum()) * rate)
    seconds = np.arange(frames) / rate

    def course(shift: float = 0.0) -> tuple[NDArray[np.int64], Points]:
        late = seconds - shift
        segment = np.clip(np.searchsorted(begins, late, side="right") - 1, 0, len(moves) - 1)
        return segment, np.clip((late - begins[segment]) / moves[segment], 0, 1)

    segment, share = course()
    ease = eased(share)[:, None]

    def blend(values: Points, at: NDArray[np.int64], by: Points) -> Points:
        by = by.reshape(-1, *[1] * (values.ndim - 1))
        mixed: Points = values[at] + by * (values[at + 1] - values[at])
        return mixed

    pelvis = np.stack([k.pelvis for k in keys])
    turns = Rotation.concatenate([k.turn for k in keys])
    steps = (turns[:-1].inv() * turns[1:]).as_rotvec()
    turn = turns[segment] * Rotation.from_rotvec(ease * steps[segment])

    upright = turns.apply([0, 0, 1])[:, 2] > 0.6
    rise = np.abs(np.diff(pelvis[:, 2])) * (upright[:-1] & upright[1:])
    lean = np.clip((rise - 0.12) / 0.3, 0, 1)[segment] * _bump(share) * rng.uniform(0.45, 0.8)
    turn = turn * Rotation.from_euler("y", 0.5 * lean[:, None])
    turn = turn * Rotation.from_rotvec(wander(rng, frames, 3, rate) * np.array([0.012, 0.018, 0.018]))

    feet = np.stack([k.feet for k in keys])
    far = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    lift = np.where(far > 0.05, np.minimum(0.12, 0.3 * far), 0)
    # The feet move one after the other, in random order. If only one foot moves, it uses the whole time.
    late = np.where((far > 0.05).all(1), rng.choice([-0.4, 0.4], len(moves)), 0)[segment]
    path = np.empty((frames, 2, 3))
    for side, shift in ((0, late), (1, -late)):
        part = np.clip((share - np.maximum(shift, 0)) / (1 - np.abs(shift)), 0, 1)
        path[:, side] = blend(feet[:, side], segment, eased(part))
        path[:, side, 2] += lift[segment, side] * _bump(part)
    stir = blend(np.array([k.stir for k in keys]), segment, ease).reshape(-1, 1)
    path += (stir * wander(rng, frames, 6, rate)).reshape(-1, 2, 3)

    bend = blend(np.stack([k.bend for k in keys]), segment, ease)
    bend[:, 1] += 0.5 * lean
    bend += wander(rng, frames, 3, rate) * [0.015, 0.03, 0.03]
    nod = blend(np.stack([k.head for k in keys]), *course(rng.uniform(-0.2, 0.1)))
    nod += wander(rng, frames, 3, rate, 0.5) * [0.02, 0.05, 0.1]

    hands = []
    for side in range(2):
        at, part = course(rng.uniform(-0.1, 0.2))
        part = eased(part)
        goals = []
        for k, key in enumerate(keys):
            weight = np.where(at == k, 1 - part, 0) + np.where(at + 1 == k, part, 0)
            drift = wander(rng, frames, 3, rate, 0.5) * (0.002 if key.hands[side].frame == "world" else 0.012)
            goal = key.hands[side]
            goals.append((replace(goal, point=np.asarray(goal.point) + drift), weight))
        hands.append(goals)

    return Tracks(
        blend(pelvis, segment, ease) + 0.004 * wander(rng, frames, 3, rate),
        turn,
        bend,
        nod,
        path,
        blend(np.stack([k.knees for k in keys]), segment, ease),
        (hands[0], hands[1]),
        blend(np.array([k.freedom for k in keys]), segment, ease).reshape(-1, 1),
    )


def pose(tracks: Tracks, donor: Donor) -> Points:
    """Compute the joints (T, 19, 3), world, metres.

    If a joint would be below the floor, the pelvis is raised smoothly. Feet and hands stay where they are.

    Raises:
        ValueError: If `donor` and `tracks` have different numbers of frames.
    """
    if len(donor) != len(tracks.pelvis):
        raise ValueError(f"{len(donor)} donor frames for tracks of {len(tracks.pelvis)}")
    joints = _assemble(tracks, donor)
    for _ in range(4):
        sunk = np.maximum(_CLEARANCE - joints[..., 2], 0).max(1)
        if sunk.max() < 0.005:
            break
        lift = gaussian_filter1d(maximum_filter1d(sunk, 41, mode="nearest"), 8, mode="nearest")
        tracks = replace(tracks, pelvis=tracks.pelvis + lift[:, None] * [0, 0, 1])
        joints = _assemble(tracks, donor)
    return joints


def _assemble(tracks: Tracks, donor: Donor) -> Points:
    n = donor.lengths
    joints = np.empty((len(donor), NUM_STORED_JOINTS, 3))
    joints[:, 0] = tracks.pelvis
    for side, (hip, knee, ankle) in enumerate(_LEGS):
        joints[:, hip] = tracks.pelvis + tracks.turn.apply([0, SIDES[side] * n[hip], 0])
        target = tracks.feet[:, side].copy()
        target[:, 2] = np.maximum(target[:, 2], 0.06)
        pole = tracks.turn.apply(tracks.knees[:, side])
        joints[:, knee], joints[:, ankle] = two_bones(joints[:, hip], target, pole, (n[knee], n[ankle]))

    trunk = Rotation.from_rotvec(tracks.freedom * donor.trunk)
    lumbar = tracks.turn * Rotation.from_rotvec(0.45 * tracks.bend)
    chest = tracks.turn * Rotation.from_rotvec(tracks.bend) * trunk
    head = chest * Rotation.from_rotvec(tracks.head)
    joints[:, 7] = tracks.pelvis + lumbar.apply(n[7] * donor.spine)
    for joint, parent, axes in (
        (8, 7, chest), (9, 8, head), (10, 9, head), (17, 10, head), (18, 10, head),
        (11, 8, chest), (14, 8, chest),
    ):  # fmt: skip
        joints[:, joint] = joints[:, parent] + n[joint] * axes.apply(donor.bones[:, joint - 8])
    for side in range(2):
        _place_arm(joints, side, tracks, donor, chest)
    return joints


def _place_arm(joints: Points, side: int, tracks: Tracks, donor: Donor, chest: Rotation) -> None:
    """Place one arm by the weighted mean of its goals. The donor's arm, a possible goal, hangs vertically."""
    shoulder, elbow, wrist = _ARMS[side]
    upper, lower = donor.lengths[elbow], donor.lengths[wrist]
    forward = chest.apply([1, 0, 0])
    pitch = np.arcsin(np.clip(-forward[:, 2], -1, 1))
    hang = chest * Rotation.from_euler("y", (-0.7 * pitch * np.maximum(1 - (pitch / 1.4) ** 2, 0))[:, None])

    bent = donor.bones[:, elbow - 8] * upper
    reach = bent + donor.bones[:, wrist - 8] * lower
    own_pole = bent - (bent * unit(reach)).sum(-1, keepdims=True) * unit(reach)
    default = np.array([-0.5, 0.45 * SIDES[side], -0.85])

    target, pole = np.zeros_like(joints[:, 0]), np.zeros_like(joints[:, 0])
    for hand, weight in tracks.hands[side]:
        if not weight.any():
            continue
        if hand.frame == "donor":
            place = joints[:, shoulder] + hang.apply(reach)
            bias = hang.apply(own_pole + 0.02 * default)
        else:
            place = _goal(hand, side, joints, tracks, chest)
            bias = chest.apply(0.1 * default)
        target += weight[:, None] * place
        pole += weight[:, None] * bias
    target = _outside(target, joints, side, tracks.turn)
    # The elbow stays on its side. If the goals differ in the side, it moves over several frames.
    reach = unit(target - joints[:, shoulder])
    pole = unit(pole - (pole * reach).sum(-1, keepdims=True) * reach)
    pole = gaussian_filter1d(pole, 6, axis=0, mode="nearest")
    joints[:, elbow], joints[:, wrist] = two_bones(
        joints[:, shoulder], target, pole, (upper, lower), flexion=(0.1, 2.5)
    )
    # An elbow that would be below the floor is turned upwards about the line from shoulder to wrist.
    dip = np.clip((0.1 - joints[:, elbow, 2]) / 0.05, 0, 2)
    if dip.any():
        dip = gaussian_filter1d(dip, 4, mode="nearest")
        pole = pole + dip[:, None] * [0, 0, 1.0]
        joints[:, elbow], joints[:, wrist] = two_bones(
            joints[:, shoulder], target, pole, (upper, lower), flexion=(0.1, 2.5)
        )


def _goal(hand: Hand, side: int, joints: Points, tracks: Tracks, chest: Rotation) -> Points:
    point = np.atleast_2d(np.asarray(hand.point, np.float64))
    if hand.frame == "world":
        return point
    if hand.frame == "pelvis":
        return joints[:, 0] + tracks.turn.apply(point)
    if hand.frame == "chest":
        return joints[:, 8] + chest.apply(point)
    hip, knee, _ = _LEGS[side]
    thigh = joints[:, knee] - joints[:, hip]
    outwards = SIDES[side] * tracks.turn.apply([0, 1, 0])
    off = unit(np.array([0, 0, 1.0]) + 0.3 * chest.apply([1, 0, 0]))
    return joints[:, hip] + point[:, :1] * thigh + point[:, 1:2] * outwards + point[:, 2:] * off


def _outside(target: Points, joints: Points, side: int, turn: Rotation) -> Points:
    """Move wrists out of the trunk, the head, the thighs and the floor."""
    outwards = turn.apply([0.3, SIDES[side], 0])
    shapes = [(0, 7, _GIRTH), (7, 8, _GIRTH - 0.01), (9, 10, 0.1)] + [
        (h, k, _THIGH_GIRTH) for h, k, _ in _LEGS
    ]
    for start, end, girth in shapes:
        a, along = joints[:, start], joints[:, end] - joints[:, start]
        share = np.clip(((target - a) * along).sum(-1) / (along * along).sum(-1), 0, 1)[:, None]
        off = target - a - share * along + 0.01 * outwards
        distance = np.linalg.norm(off, axis=-1, keepdims=True)
        # The limit is smooth, so that a hand slides along the body without jumps.
        short = girth - distance
        push = 0.5 * (short + np.sqrt(short**2 + 0.02**2))
        target = target + push * unit(off)
    floor = target[:, 2] - 0.7 * WRIST
    target[:, 2] = 0.7 * WRIST + 0.5 * (floor + np.sqrt(floor**2 + 0.01**2))
    return target
