"""People who stand, or sit on chairs and on the floor.

Each function samples one pose, in the axes of `key_poses`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from .inverse_kinematics import two_bones
from .key_poses import (
    ANKLE,
    SIDES,
    WRIST,
    Body,
    Hand,
    KeyPose,
    either,
    hand_pair,
    hips,
    key_pose,
    resting_hands,
    rows,
)


def standing(body: Body, rng: Generator, at: float) -> KeyPose:
    """Sample a standing pose at the position `at` along x, metres."""
    feet = rows(at + rng.uniform(-0.05, 0.02, 2), rng.uniform(0.07, 0.17), ANKLE)
    return key_pose(
        rng, (at, 0.0, rng.uniform(0.985, 1.005) * body.leg + ANKLE), feet, pitch=rng.normal(0, 0.04)
    )


def on_chair(body: Body, rng: Generator, seat: float) -> KeyPose:
    """Sample a pose on a seat of height `seat`, metres. The hips are above the origin."""
    u = rng.uniform
    z = seat + 0.09
    floor = ANKLE if z < 0.9 * body.leg else z - u(0.6, 0.85) * body.leg  # a rung, if the floor is too low
    furthest = np.sqrt((0.97 * body.leg) ** 2 - min(z - floor, 0.9 * body.leg) ** 2)
    ways = [lambda: u(-0.1, 0.1), lambda: u(-0.28, -0.1), lambda: u(0.1, 0.45)]  # level, tucked, stretched
    way = rng.choice(3, p=[0.55, 0.2, 0.25])
    ahead = np.clip([0.93 * body.thigh + ways[way]() + rng.normal(0, 0.05) for _ in SIDES], 0.15, furthest)
    apart = u(0.04, 0.3)
    feet = rows(ahead, apart + u(-0.03, 0.03, 2), floor)
    knees = rows(1.0, u(-0.05, 0.1) + apart, u(0.5, 0.9))
    lean = rng.choice([u(-0.1, 0.1), u(-0.45, -0.15), u(0.2, 0.7)], p=[0.5, 0.3, 0.2])
    slump = u(0.0, 0.35)
    pose = key_pose(
        rng,
        (u(-0.04, 0.04), 0.0, z),
        feet,
        pitch=0.6 * lean - 0.5 * slump,
        bend=0.4 * lean + slump,
        look=0.3 * slump + u(-0.1, 0.35),
        knees=knees,
        hands=resting_hands(rng),
    )
    legs = rng.random()
    if legs < 0.24:  # one leg over the other
        joints = hips(body, pose.pelvis, pose.turn)
        knee, _ = two_bones(joints[0], feet[0], pose.turn.apply(knees[0]), (body.thigh, body.shank))
        feet, knees = feet.copy(), knees.copy()
        if legs < 0.08:  # ankle on the other knee
            feet[1] = knee + np.array([u(-0.12, 0.0), 0.06, 0.11])
            knees[1] = (0.4, -1.0, 0.5)
        elif legs < 0.16:  # thigh over thigh
            feet[1] = knee + np.array([u(0.08, 0.22), u(0.04, 0.1), -u(0.2, 0.3)])
            knees[1] = (0.6, 0.1, 1.0)
        else:  # ankles crossed
            far = min(ahead.max() + 0.1, furthest)
            feet = np.array([[far, -0.03, floor], [far - 0.06, 0.05, floor + 0.03]])
        pose = replace(pose, feet=feet, knees=knees)
    return either(rng, pose)


def on_floor(body: Body, rng: Generator) -> KeyPose:
    """Sample a pose on the floor. The hips are above the origin."""
    u = rng.uniform
    z = u(0.09, 0.11)
    slump = u(0.1, 0.45)
    pitch, hands = -0.55 * slump, resting_hands(rng, lap=False)
    kind = rng.choice(["crossed", "long", "knees up", "mixed", "folded"], p=[0.34, 0.2, 0.24, 0.12, 0.1])
    far = 0.97 * body.leg
    if kind == "crossed":
        feet = rows(u(0.22, 0.32) + np.array([0.0, u(0.0, 0.09)]), -u(0.04, 0.12, 2), 0.075)
        knees = rows(0.35, 1.0, u(0.2, 0.55, 2))
    elif kind == "long":
        feet, knees = rows(far - u(0, 0.05, 2), u(0.06, 0.35), 0.07), rows(0.6, 0.1, 1.0)
    elif kind == "knees up":
        feet, knees = (
            rows(u(0.32, 0.55) + rng.normal(0, 0.04, 2), u(0.08, 0.25), ANKLE),
            rows(0.4, u(0, 0.3), 1),
        )
        if rng.random() < 0.3:  # arms round the shins
            hands = hand_pair("world", rows(feet[:, 0].mean() + 0.02, -0.02, u(0.22, 0.32)))
            pitch, slump = u(-0.1, 0.1), u(0.3, 0.6)
    elif kind == "mixed":
        feet = rows(np.array([far - 0.02, u(0.25, 0.5)]), np.array([0.12, 0.1]), ANKLE)
        knees = rows(0.4, 0.3, 1.0)
        if rng.random() < 0.5:  # the bent leg lies down
            feet[1], knees[1] = (u(0.3, 0.45), 0.0, 0.07), (0.3, -1.0, 0.25)
    else:  # both legs folded to one side
        feet = np.array([[u(0.25, 0.35), -u(0.05, 0.15), 0.07], [-u(0.02, 0.12), -u(0.42, 0.5), 0.06]])
        knees = np.array([[0.4, 1.0, 0.25], [1.0, -0.5, 0.1]])
    if rng.random() < 0.25:  # propped on the hands
        pitch, slump = -u(0.3, 0.5), u(0.1, 0.3)
        hands = hand_pair("world", rows(-u(0.3, 0.42), u(0.2, 0.32, 2), WRIST))
        if rng.random() < 0.4:
            hands = (Hand(), hands[1])
    pose = key_pose(
        rng,
        (0.0, 0.0, z),
        feet,
        pitch=pitch,
        bend=slump + u(0, 0.15),
        look=u(-0.1, 0.3),
        knees=knees,
        hands=hands,
    )
    return either(rng, pose)
