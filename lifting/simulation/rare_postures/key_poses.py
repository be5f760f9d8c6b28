"""Key poses: the lengths of a body, and the positions of pelvis, feet and hands.

World axes: metres, the person faces x, y is to the person's left, z is up, and the floor is at 0. The height
of a joint that rests on the floor is the height of the joint's centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from .inverse_kinematics import Points, unit

ANKLE = 0.08  # metres above the floor, foot flat
KNEE = 0.06  # kneeling
WRIST = 0.06  # hand flat on the floor
SIDES = np.array([1.0, -1.0])  # left and right along y


@dataclass(frozen=True)
class Body:
    """Lengths of a body, metres.

    Attributes:
        half_hips: Half the distance between the hip joints.
        thigh: Hip to knee.
        shank: Knee to ankle.
        trunk: Hip centre to the line between the shoulders.
        arm: Shoulder to wrist.
    """

    half_hips: float
    thigh: float
    shank: float
    trunk: float
    arm: float

    @property
    def leg(self) -> float:
        """Hip to ankle of a person who stands, metres."""
        return 0.99 * (self.thigh + self.shank)


@dataclass(frozen=True)
class Hand:
    """The goal of a wrist.

    Attributes:
        frame: The axes of `point`: "world", "pelvis", "chest" (origin at the thorax), or "thigh" (share of
            the length of the thigh on the same side, metres outwards, metres up). "donor" keeps the donor's
            wrist.
        point: (3,), or (T, 3) for a path.
    """

    frame: str = "donor"
    point: Points | tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class KeyPose:
    """A pose, given by pelvis, trunk, head, feet and hands. In pairs, left comes before right.

    Attributes:
        pelvis: (3,) world, metres.
        turn: Rotation from pelvis axes to the world.
        bend: (3,) rotation vector of the chest in pelvis axes, added to the donor's; positive y bends
            forwards.
        head: (3,) rotation vector of the head in chest axes, added to the donor's.
        feet: (2, 3) ankles, world, metres.
        knees: (2, 3) directions in which the knees point, pelvis axes.
        hands: The goals of both wrists.
        freedom: Factor on the donor's motion of the trunk.
        stir: Metres by which the feet move randomly.
    """

    pelvis: Points
    turn: Rotation
    bend: Points
    head: Points
    feet: Points
    knees: Points
    hands: tuple[Hand, Hand]
    freedom: float = 1.0
    stir: float = 0.0


def swapped(pose: KeyPose) -> KeyPose:
    """Return the mirror image of a pose."""
    across = np.array([1.0, -1.0, 1.0])
    hands = tuple(
        Hand(h.frame, np.asarray(h.point) * (1.0 if h.frame == "thigh" else across)) for h in pose.hands[::-1]
    )
    return replace(
        pose,
        pelvis=pose.pelvis * across,
        turn=Rotation.from_quat(pose.turn.as_quat() * [-1, 1, -1, 1]),
        bend=pose.bend * -across,
        head=pose.head * -across,
        feet=pose.feet[::-1] * across,
        knees=pose.knees[::-1] * across,
        hands=(hands[0], hands[1]),
    )


def hips(body: Body, pelvis: Points, turn: Rotation) -> Points:
    """Return the left and the right hip joint, (2, 3)."""
    return pelvis + turn.apply(np.stack([np.zeros(2), SIDES * body.half_hips, np.zeros(2)], -1))


def either(rng: Generator, pose: KeyPose) -> KeyPose:
    """Return the pose or its mirror image, at random."""
    return swapped(pose) if rng.random() < 0.5 else pose


def key_pose(
    rng: Generator,
    pelvis: tuple[float, float, float],
    feet: Points,
    *,
    pitch: float = 0.0,
    roll: float = 0.0,
    bend: float = 0.0,
    knees: Points | None = None,
    hands: tuple[Hand, Hand] = (Hand(), Hand()),
    look: float = 0.0,
    freedom: float = 1.0,
    stir: float = 0.0,
    turn: Rotation | None = None,
) -> KeyPose:
    """Make a key pose with small random variations. `pitch`, `bend` and `look` are radians forwards."""
    if turn is None:
        turn = Rotation.from_euler("ZYX", [rng.normal(0, 0.06), pitch, roll + rng.normal(0, 0.02)])
    if knees is None:
        knees = np.stack([np.full(2, 1.0), SIDES * rng.uniform(0, 0.3), np.full(2, 0.5)], -1)
    return KeyPose(
        np.array(pelvis),
        turn,
        np.array([rng.normal(0, 0.06), bend, rng.normal(0, 0.12)]),
        np.array([rng.normal(0, 0.06), look + rng.normal(0, 0.1), rng.normal(0, 0.25)]),
        feet,
        knees,
        hands,
        freedom,
        stir,
    )


def on_knees(pose: KeyPose, body: Body, knees: Points, shins: Points, which: tuple[int, ...]) -> KeyPose:
    """Place the knees of the legs `which` on the floor.

    Args:
        pose: The pose.
        body: The lengths of the body.
        knees: (2, 3) world. Each knee is placed in this direction from the hip, at the length of the thigh.
        shins: (2, 3) directions of the shanks, world.
        which: The legs that are changed: 0 is left, 1 is right.
    """
    joints = hips(body, pose.pelvis, pose.turn)
    at = joints + body.thigh * unit(knees - joints)
    feet, poles = pose.feet.copy(), pose.knees.copy()
    for side in which:
        feet[side] = at[side] + body.shank * unit(shins[side])
        poles[side] = pose.turn.inv().apply(at[side] - joints[side])
    return replace(pose, feet=feet, knees=poles)


def rows(x: Points | float, y: Points | float, z: Points | float) -> Points:
    """Return (2, 3) points of the left and the right side; positive `y` is outwards."""
    return np.stack([np.broadcast_to(x, 2), np.broadcast_to(y, 2) * SIDES, np.broadcast_to(z, 2)], -1).astype(
        np.float64
    )


def hand_pair(frame: str, points: Points) -> tuple[Hand, Hand]:
    """Return the goals of both hands at points (2, 3) in the axes `frame`."""
    return Hand(frame, points[0]), Hand(frame, points[1])


def resting_hands(rng: Generator, *, lap: bool = True) -> tuple[Hand, Hand]:
    """Sample the hands of a person who sits or kneels, each hand by itself or both together."""
    u = rng.uniform
    own = [
        lambda: Hand(),
        lambda: Hand("thigh", (u(0.45, 1.0), u(-0.03, 0.06), u(0.07, 0.10))),
        lambda: Hand("chest", (u(0.22, 0.42), u(0.02, 0.25), u(-0.40, -0.05))),
    ]
    together = [
        lambda: hand_pair("chest", rows(u(0.25, 0.4), u(0.05, 0.16, 2), u(-0.35, -0.2))),  # a keyboard
        lambda: hand_pair("chest", rows(u(0.2, 0.3), u(0.03, 0.08), u(-0.25, -0.02))),  # a telephone, a book
        lambda: hand_pair(
            "chest", rows(u(0.17, 0.22, 2), u(-0.10, -0.04), np.array([-0.24, -0.28]))
        ),  # folded arms
        lambda: hand_pair("thigh", np.stack([u(0.5, 1.0, 2), u(-0.03, 0.05, 2), np.full(2, 0.08)], -1)),
        lambda: hand_pair("chest", rows(u(-0.06, 0.0), u(0.08, 0.13), u(0.1, 0.2))),  # behind the head
        lambda: hand_pair("pelvis", rows(u(-0.02, 0.06), u(0.19, 0.23), u(0.06, 0.13))),  # on the hips
    ]
    if lap:
        together.append(lambda: hand_pair("pelvis", rows(u(0.2, 0.28), u(0.02, 0.06), u(0.08, 0.14))))
    kind = rng.random()
    if kind < 0.4:
        return Hand(), Hand()
    if kind < 0.7:
        order = rng.choice(len(together), p=_chances(len(together)))
        return together[order]()
    hands = []
    for side in SIDES:
        hand = own[rng.integers(len(own))]()
        if hand.frame == "chest":
            hand = Hand("chest", np.asarray(hand.point) * [1, side, 1])
        hands.append(hand)
    if rng.random() < 0.25:  # a hand at the chin, the cheek or an ear
        side = rng.integers(2)
        hands[side] = Hand("chest", (u(0.09, 0.14), SIDES[side] * u(0.04, 0.13), u(-0.06, 0.06)))
    return hands[0], hands[1]


def _chances(count: int) -> Points:
    """Return the probabilities of hand positions. Folded arms and hands behind the head are rarer."""
    weights = np.array([3, 3, 1, 3, 0.5, 0.7, 2.5])[:count]
    return weights / weights.sum()
