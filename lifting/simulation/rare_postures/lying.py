"""People who lie on their back, a side, or their front.

Each function samples one pose, in the axes of `key_poses`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from .inverse_kinematics import Points
from .key_poses import ANKLE, SIDES, WRIST, Body, Hand, KeyPose, either, hand_pair, key_pose, rows


def _folded(body: Body, hip: Points, knee: Points, apart: float) -> Points:
    """Return (2, 3) ankles in pelvis axes for given flexions of hips and knees, radians."""
    hip, knee = np.broadcast_to(hip, 2), np.broadcast_to(knee, 2)
    x = body.thigh * np.sin(hip) + body.shank * np.sin(hip - knee)
    z = -body.thigh * np.cos(hip) - body.shank * np.cos(hip - knee)
    return rows(x, body.half_hips + apart, z)


def on_back(body: Body, rng: Generator) -> KeyPose:
    """Sample a pose on the back. The hips are above the origin, the head is towards −x."""
    u = rng.uniform
    turn = Rotation.from_euler("ZYX", [rng.normal(0, 0.05), -np.pi / 2 + u(-0.05, 0.1), rng.normal(0, 0.05)])
    feet = rows(0.98 * body.leg, u(0.05, 0.3), 0.07)
    for side in range(2):
        if rng.random() < 0.4:
            feet[side] = (u(0.32, 0.6), SIDES[side] * u(0.06, 0.2), ANKLE)
    stir = 0.0
    if rng.random() < 0.25:  # legs in the air
        lift = u(0.9, 1.7)
        feet = np.array([0, 0, 0.11]) + turn.apply(
            _folded(body, lift + rng.normal(0, 0.15, 2), u(0.2, 1.5, 2), 0.04)
        )
        stir = 0.06
    down = rows(u(-0.25, 0.05), u(0.25, 0.5, 2), WRIST)
    up = 0.9 * body.trunk
    hands = [
        lambda: hand_pair("world", down),
        lambda: hand_pair("pelvis", rows(u(0.1, 0.13), u(0.0, 0.12, 2), u(0.1, 0.25))),
        lambda: hand_pair("chest", rows(0.02, u(0.08, 0.14), u(0.16, 0.24))),
        lambda: hand_pair("chest", rows(u(0.28, 0.42), u(0.03, 0.12), u(-0.1, 0.15))),
        lambda: (Hand("world", down[0]), Hand("pelvis", (0.12, -0.03, 0.2))),
        lambda: hand_pair("world", rows(-up - u(-0.1, 0.35), u(0.3, 0.5, 2), WRIST)),
    ][rng.integers(6)]()
    return either(
        rng,
        key_pose(rng, (0, 0, 0.11), feet, turn=turn, bend=u(0.0, 0.08), look=u(0.0, 0.3),
              knees=rows(1, u(0, 0.3), 0.3), hands=hands, freedom=0.1, stir=stir),
    )  # fmt: skip


def on_side(body: Body, rng: Generator) -> KeyPose:
    """Sample a pose on one side. The hips are above the origin, the head is towards −x."""
    u = rng.uniform
    roll = u(1.1, 1.5)
    turn = Rotation.from_euler("YZ", [-np.pi / 2, 0]) * Rotation.from_euler("z", roll)
    pelvis = np.array([0.0, 0.0, 0.1 + body.half_hips])
    hip, knee = u(0.2, 1.3) + np.array([0.0, u(-0.1, 0.5)]), u(0.4, 1.6) + np.array([0.0, u(-0.2, 0.5)])
    feet = pelvis + turn.apply(_folded(body, hip, np.clip(knee, 0.2, 2.2), 0.0))
    feet[:, 2] = np.maximum(feet[:, 2], [0.07, 0.12])
    hands = (
        Hand("chest", (u(0.12, 0.3), u(-0.05, 0.08), u(0.05, 0.2))),
        Hand("chest", (u(0.2, 0.35), -u(0.0, 0.15), u(-0.3, 0.05)))
        if rng.random() < 0.6
        else Hand("pelvis", (u(0.03, 0.12), -0.15, -u(0.0, 0.2))),
    )
    return either(
        rng,
        key_pose(rng, (0.0, 0.0, float(pelvis[2])), feet, turn=turn, bend=u(0.05, 0.3), look=u(0.0, 0.3),
              knees=rows(1.0, 0.1, 0.4), hands=hands, freedom=0.1),
    )  # fmt: skip


def on_front(body: Body, rng: Generator) -> KeyPose:
    """Sample a pose on the front, flat or on the forearms. The hips are at the origin, the head is at +x."""
    u = rng.uniform
    turn = Rotation.from_euler("ZYX", [rng.normal(0, 0.05), np.pi / 2 - u(0.0, 0.06), rng.normal(0, 0.04)])
    feet = rows(-1.03 * body.leg, u(0.05, 0.25), 0.07)
    for side in range(2):
        if rng.random() < 0.3:  # a shin in the air
            fold = u(0.6, 1.9)
            reach = body.thigh + body.shank * np.cos(fold)
            feet[side] = (-reach, SIDES[side] * u(0.06, 0.15), 0.08 + body.shank * np.sin(fold))
    propped = rng.random() < 0.5
    if propped:
        hands = hand_pair("world", rows(body.trunk + u(0.12, 0.2, 2), u(-0.02, 0.14, 2), WRIST))
        bend, look = -u(0.5, 0.7), -u(0.1, 0.5)
    else:
        hands = [
            hand_pair("world", rows(body.trunk + u(0.05, 0.45), u(0.15, 0.4, 2), WRIST)),
            hand_pair("world", rows(u(-0.05, 0.15), u(0.28, 0.4, 2), WRIST)),
        ][rng.integers(2)]
        bend, look = -u(0.0, 0.08), -u(0.1, 0.35)
    pose = key_pose(rng, (0.0, 0.0, 0.1), feet, turn=turn, bend=bend, look=look, knees=rows(1.0, 0.1, 0.3),
                 hands=hands, freedom=0.1, stir=0.02)  # fmt: skip
    if not propped:
        pose = replace(pose, head=np.array([0.0, pose.head[1], rng.choice([-1, 1]) * u(0.5, 1.1)]))
    return either(rng, pose)
