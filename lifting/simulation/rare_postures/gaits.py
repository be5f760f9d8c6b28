"""Simulate crawling and climbing, in which hands and knees move alternately."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from .inverse_kinematics import Points, unit
from .key_poses import ANKLE, KNEE, SIDES, WRIST, Body, Hand
from .posing import Tracks, eased, wander


def _steps(cycles: Points, phase: float, swing: float) -> tuple[Points, Points]:
    """Return the position of a limb, in cycles, and its progress through the swing, 0–1."""
    late = cycles - phase
    whole = np.floor(late)
    part = np.clip((late - whole - (1 - swing)) / swing, 0, 1)
    return whole + eased(part) + phase, part


def crawl(body: Body, frames: int, rate: float, rng: Generator) -> Tracks:
    """Sample crawling along x. A knee moves almost at the same time as the hand of the other side."""
    u = rng.uniform
    period, speed = u(0.9, 1.8), u(0.2, 0.55)
    stride = speed * period * rng.choice([1.0, -0.7], p=[0.85, 0.15])  # backwards at times
    seconds = np.arange(frames) / rate
    cycles = (seconds + 0.12 * wander(rng, frames, 1, rate, 1.5)[:, 0]) / period
    height = KNEE + np.sqrt((0.985 * body.thigh) ** 2 - min(0.3 * abs(stride), 0.5 * body.thigh) ** 2)
    # The body is low enough for a hand to reach the floor until the body has moved past it.
    rest = np.sqrt((0.94 * body.arm) ** 2 - (0.28 * abs(stride) + 0.08) ** 2) + WRIST - u(0.0, 0.03)
    pitch = np.pi / 2 - np.arcsin(np.clip((rest - height) / body.trunk, -0.25, 0.5))
    sway = np.sin(2 * np.pi * (cycles + u()))
    pelvis = np.stack(
        [stride * cycles, 0.015 * sway, height + 0.008 * np.cos(4 * np.pi * cycles)], -1
    ) + 0.004 * wander(rng, frames, 3, rate)  # fmt: skip
    turn = Rotation.from_euler("ZYX", np.stack([0.08 * sway, np.full(frames, pitch), 0.05 * sway], -1))

    feet, knees = np.empty((frames, 2, 3)), np.empty((frames, 2, 3))
    hands = []
    lag, apart, wide, reach = u(0.0, 0.15), u(0.08, 0.14), u(0.15, 0.24), u(-0.05, 0.08)
    for side in range(2):
        held, part = _steps(cycles, 0.5 * side, u(0.42, 0.5))
        joint = pelvis + turn.apply([0, SIDES[side] * body.half_hips, 0])
        knee = np.stack(
            [
                stride * (held + 0.25),
                np.full(frames, SIDES[side] * apart),
                KNEE + 0.03 * np.sin(np.pi * part),
            ],
            -1,
        )
        thigh = unit(knee - joint)
        knee = joint + body.thigh * thigh
        knees[:, side] = turn.inv().apply(thigh)
        rise = (
            np.arcsin(np.clip((0.07 - knee[:, 2]) / body.shank, -0.5, 0.5)) + 0.08 * np.sin(np.pi * part) ** 2
        )
        inwards = -0.08 * SIDES[side]
        feet[:, side] = knee + body.shank * unit(
            np.stack([-np.cos(rise), np.full(frames, inwards), np.sin(rise)], -1)
        )
        held, part = _steps(cycles, 0.5 * (1 - side) + lag, u(0.4, 0.5))
        palm = np.stack(
            [stride * (held + 0.25) + body.trunk * np.sin(pitch) + reach,
             np.full(frames, SIDES[side] * wide), WRIST + u(0.05, 0.1) * np.sin(np.pi * part) ** 2], -1,
        )  # fmt: skip
        hands.append([(Hand("world", palm), np.ones(frames))])
    level = np.zeros((frames, 1))
    bend = np.concatenate([0.05 * sway[:, None], level, -0.1 * sway[:, None]], 1)
    nod = np.array([0.0, -u(0.1, 0.7), 0.0]) + wander(rng, frames, 3, rate) * [0.03, 0.08, 0.15]
    return Tracks(pelvis, turn, bend, nod, feet, knees, (hands[0], hands[1]), level + 0.2)


def climb(body: Body, frames: int, rate: float, rng: Generator) -> Tracks:
    """Sample climbing up and down a ladder or a wall in front of the person. The limbs move alternately."""
    u = rng.uniform
    period, rung = u(1.4, 2.6), u(0.4, 0.62)  # a cycle climbs two steps of a ladder
    seconds = np.arange(frames) / rate
    most = u(2.0, 5.0)
    cycles = most - np.abs((seconds / period + u(0, 2 * most)) % (2 * most) - most)
    # The person climbs up, pauses, and climbs down.
    width = int(0.5 * rate)
    kernel = np.hanning(2 * width + 1)
    cycles = np.convolve(np.pad(cycles, width, mode="edge"), kernel / kernel.sum(), "valid")
    away = u(0.4, 0.52)  # from the rungs to the hips
    low = ANKLE + 0.74 * body.leg
    ladder, wide = rng.random() < 0.6, u(0.1, 0.3)
    apart = u(0.08, 0.14) if ladder else wide
    wave = np.sin(2 * np.pi * (cycles + u()))
    pelvis = np.stack([0.02 * np.cos(4 * np.pi * cycles), 0.03 * wave, low + rung * cycles], -1)
    pelvis += 0.006 * wander(rng, frames, 3, rate)
    lean = u(-0.05, 0.2)
    turn = Rotation.from_euler("ZYX", np.stack([0.06 * wave, np.full(frames, lean), 0.06 * wave], -1))
    feet, knees = np.empty((frames, 2, 3)), np.empty((frames, 2, 3))
    lag, hands = u(-0.1, 0.15), []
    grip = low - 0.25 * rung + body.trunk + u(0.12, 0.42)
    for side in range(2):
        held, part = _steps(cycles, 0.5 * side, 0.45)
        back = 0.07 * np.sin(np.pi * part) ** 2
        feet[:, side] = np.stack(
            [away - 0.14 - back, np.full(frames, SIDES[side] * apart), ANKLE + rung * (held + 0.25)], -1
        )
        knees[:, side] = (1.0, SIDES[side] * (0.25 if ladder else 0.9), 0.4)
        held, part = _steps(cycles, 0.5 * (1 - side) + lag, 0.4)
        back = 0.09 * np.sin(np.pi * part) ** 2
        palm = np.stack(
            [away - 0.04 - back, np.full(frames, SIDES[side] * max(wide, 0.16)), grip + rung * (held + 0.25)],
            -1,
        )
        hands.append([(Hand("world", palm), np.ones(frames))])
    nothing = np.zeros((frames, 3))
    nod = np.array([0.0, u(-0.6, 0.1), 0.0]) + wander(rng, frames, 3, rate) * [0.03, 0.12, 0.25]
    return Tracks(pelvis, turn, nothing, nod, feet, knees, (hands[0], hands[1]), nothing[:, :1] + 0.3)
