"""People who kneel, crouch, bend, lunge or go on hands and knees.

Each function samples one pose, in the axes of `key_poses`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from .key_poses import (
    ANKLE,
    KNEE,
    WRIST,
    Body,
    Hand,
    KeyPose,
    either,
    hand_pair,
    key_pose,
    on_knees,
    resting_hands,
    rows,
)


def kneeling(body: Body, rng: Generator, kind: str) -> KeyPose:
    """Sample a kneeling pose, with the knees near x = 0.

    Args:
        body: The lengths of the body.
        rng: Random numbers.
        kind: "upright", "heels" (sitting on the heels) or "half" (one foot forward).
    """
    u = rng.uniform
    apart = u(0.08, 0.2)
    ankle = rng.choice([0.06, 0.12])  # the instep on the floor, or the toes tucked
    back = np.arcsin((ankle - KNEE) / body.shank)
    shins = rows(-np.cos(back), -u(0.0, 0.12), np.sin(back))
    if kind == "heels":
        tilt = np.pi / 2 - u(0.4, 0.6)
        lean = u(-0.1, 0.25)
    else:
        tilt = u(-0.08, 0.3)
        lean = u(-0.05, 0.3) + 0.4 * max(tilt, 0)
    reach = np.sqrt(body.thigh**2 - (apart - body.half_hips) ** 2)
    pelvis = (-reach * np.sin(tilt), 0.0, KNEE + reach * np.cos(tilt))
    slump = u(0.0, 0.25)
    feet = rows(0, 0.1, ANKLE)
    hands = resting_hands(rng, lap=kind == "heels")
    pose = key_pose(
        rng,
        pelvis,
        feet,
        pitch=0.5 * lean - 0.3 * slump,
        bend=0.5 * lean + slump,
        look=u(-0.1, 0.4),
        hands=hands,
    )
    down = (0, 1) if kind != "half" else (1,)
    pose = on_knees(pose, body, rows(0.0, apart, KNEE), shins, down)
    if kind == "half":
        feet = pose.feet.copy()
        feet[0] = (pelvis[0] + u(0.32, 0.52), u(0.08, 0.2), ANKLE)
        pose = replace(pose, feet=feet)
        return either(rng, pose)
    return pose


def crouching(body: Body, rng: Generator) -> KeyPose:
    """Sample a squat, half to full, with the heels down or up. The feet are near x = 0."""
    u = rng.uniform
    apart, depth = u(0.08, 0.24), rng.choice(["heels down", "heels up", "half"], p=[0.35, 0.4, 0.25])
    if depth == "heels down":
        z, x, ankle, lean = u(0.24, 0.33), -u(0.16, 0.24), ANKLE, u(0.7, 1.0)
    elif depth == "heels up":
        z, x, ankle, lean = u(0.29, 0.38), -u(0.02, 0.1), u(0.13, 0.17), u(0.15, 0.6)
    else:
        z, x, ankle, lean = u(0.42, 0.65), -u(0.14, 0.24), ANKLE, u(0.5, 0.95)
    feet = rows(rng.normal(0, 0.04, 2), apart, ankle)
    left, right = resting_hands(rng, lap=False)
    # The trunk is near the thighs, so hands that would rest on the thighs rest on the knees.
    knee = Hand("thigh", (u(0.9, 1.05), 0.02, 0.09))
    hands = (knee if left.frame == "thigh" else left, knee if right.frame == "thigh" else right)
    if rng.random() < 0.3:
        low = rows(u(0.25, 0.42, 2), u(0.03, 0.25), u(WRIST, 0.25))
        hands = hand_pair("world", low) if rng.random() < 0.5 else (hands[0], Hand("world", low[1]))
    return key_pose(
        rng, (x, rng.normal(0, 0.02), z), feet,
        pitch=0.45 * lean, bend=0.55 * lean, look=-0.45 * lean + u(-0.1, 0.5),
        knees=rows(1.0, u(0.15, 0.7), 0.4), hands=hands,
    )  # fmt: skip


def bending(body: Body, rng: Generator) -> KeyPose:
    """Sample a standing pose that is bent down to an object near the floor."""
    u = rng.uniform
    lean, down = u(1.2, 1.9), u(0.0, 0.16)
    feet = rows(rng.normal(0, 0.05, 2), u(0.08, 0.22), ANKLE)
    reach = rows(u(0.22, 0.42) + rng.normal(0, 0.03, 2), u(0.02, 0.2), u(0.05, 0.45))
    hands = hand_pair("world", reach)
    if rng.random() < 0.3:
        hands = (Hand("thigh", (0.9, 0.0, 0.08)), hands[1])
    pelvis = (-0.16 - 0.3 * down, 0.0, (0.96 * body.leg) - down + 0.05)
    return either(
        rng, key_pose(rng, pelvis, feet, pitch=0.55 * lean, bend=0.45 * lean, look=-u(0, 0.4), hands=hands)
    )


def lunging(body: Body, rng: Generator) -> KeyPose:
    """Sample a lunge: one foot forward, the other behind on its toes."""
    u = rng.uniform
    stride = u(0.75, 1.05)
    feet = np.array([[0.5 * stride, u(0.08, 0.14), ANKLE], [-0.5 * stride, -u(0.08, 0.14), u(0.14, 0.18)]])
    z, lean = u(0.5, 0.68) * body.leg + 0.06, u(0.0, 0.45)
    pose = key_pose(
        rng, (u(-0.02, 0.08), 0.0, z), feet, pitch=0.6 * lean, bend=0.3 * lean, hands=resting_hands(rng)
    )
    return either(rng, pose)


def on_hands_and_knees(body: Body, rng: Generator) -> KeyPose:
    """Sample a pose on hands and knees. The knees are near x = 0, the hands under the shoulders."""
    u = rng.uniform
    arms = 0.95 * body.arm + WRIST
    z = KNEE + 0.99 * body.thigh
    pitch = np.pi / 2 - np.arcsin(np.clip((arms - z) / body.trunk, -0.3, 0.5))
    hands = hand_pair("world", rows(body.trunk * np.sin(pitch) + u(-0.08, 0.12, 2), u(0.16, 0.24), WRIST))
    pose = key_pose(
        rng,
        (u(-0.08, 0.05), 0.0, z),
        rows(0, 0, 0),
        pitch=pitch,
        look=-u(0.0, 0.6),
        hands=hands,
        freedom=0.3,
    )
    return on_knees(pose, body, rows(rng.normal(0, 0.03, 2), u(0.08, 0.16), KNEE), rows(-1, 0, 0), (0, 1))


def planks(body: Body, rng: Generator) -> tuple[KeyPose, KeyPose]:
    """Sample the upper and the lower end of a push-up."""
    u = rng.uniform
    sag, apart, look = u(-0.06, 0.06), u(0.18, 0.3), -u(0.1, 0.5)
    leg = 1.008 * body.leg
    length = leg + body.trunk
    tilts = [np.arcsin((h - 0.1) / length) for h in (0.97 * body.arm + WRIST, u(0.2, 0.34))]
    hands = hand_pair("world", rows(length * np.cos(tilts[0]) - 0.02, apart, WRIST))
    feet = rows(0.0, u(0.04, 0.15), 0.1)
    high, low = (
        key_pose(
            rng, (leg * np.cos(t), 0.0, 0.1 + leg * np.sin(t) - 0.3 * sag), feet,
            pitch=np.pi / 2 - t + sag, bend=-sag, look=look, hands=hands, freedom=0.1,
        )
        for t in tilts
    )  # fmt: skip
    return high, low
