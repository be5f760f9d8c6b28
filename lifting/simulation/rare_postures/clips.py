"""Simulate motion that is rare in open motion capture: people who sit, kneel, crouch, lie, crawl and climb.

This motion was not captured. Key poses with the contacts are sampled at random, and the legs are placed by
inverse kinematics. The bone lengths are those of captured people, and so is the motion of trunk, head and
arms while the hands are free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from ...datasets.motion_capture import MotionCapture
from . import low, lying, sitting
from .donor import Donor, calm_clips
from .gaits import climb, crawl
from .inverse_kinematics import Points
from .key_poses import Body, Hand, KeyPose, swapped
from .posing import Tracks, body_of, interpolate, pose

_MOST_ACCELERATION = 80.0  # m/s² along an axis; people at rest or at work stay well below


def _moved(key: KeyPose, ahead: float) -> KeyPose:
    shift = np.array([ahead, 0.0, 0.0])
    hands = tuple(
        replace(h, point=np.asarray(h.point) + shift) if h.frame == "world" else h for h in key.hands
    )
    return replace(key, pelvis=key.pelvis + shift, feet=key.feet + shift, hands=(hands[0], hands[1]))


def _about_face(key: KeyPose) -> KeyPose:
    turn = Rotation.from_euler("z", np.pi)
    hands = tuple(Hand(h.frame, turn.apply(h.point)) if h.frame == "world" else h for h in key.hands)
    return replace(
        key, pelvis=turn.apply(key.pelvis), turn=turn * key.turn,
        feet=turn.apply(key.feet), hands=(hands[0], hands[1])
    )  # fmt: skip


def _chair(body: Body, rng: Generator) -> list[KeyPose]:
    seat = rng.uniform(0.26, 0.56) if rng.random() < 0.8 else rng.uniform(0.56, 0.8)
    keys = [sitting.on_chair(body, rng, seat) for _ in range(rng.integers(2, 5))]
    before = min(0.93 * body.thigh, 0.45) - 0.02
    if rng.random() < 0.35:
        keys.insert(0, sitting.standing(body, rng, before))
    if rng.random() < 0.35:
        keys.append(sitting.standing(body, rng, before))
    return keys


def _floor(body: Body, rng: Generator) -> list[KeyPose]:
    return [sitting.on_floor(body, rng) for _ in range(rng.integers(2, 4))]


_NEXT_TO_KNEEL = {
    "upright": ["heels", "half", "upright"],
    "heels": ["upright", "heels"],
    "half": ["upright", "half"],
}


def _kneel(body: Body, rng: Generator) -> list[KeyPose]:
    keys = []
    kind = rng.choice(["upright", "heels", "half"])
    for _ in range(rng.integers(2, 5)):
        keys.append(
            low.on_hands_and_knees(body, rng)
            if rng.random() < 0.12 and kind != "half"
            else low.kneeling(body, rng, kind)
        )
        kind = rng.choice(_NEXT_TO_KNEEL[kind])
    if rng.random() < 0.4:
        half = low.kneeling(body, rng, "half")
        keys += [half, sitting.standing(body, rng, float(half.feet[:, 0].max()) - 0.1)]
        if rng.random() < 0.5:
            keys.reverse()
    return keys


def _crouch(body: Body, rng: Generator) -> list[KeyPose]:
    keys = [low.crouching(body, rng) for _ in range(rng.integers(2, 4))]
    if rng.random() < 0.6:
        keys.insert(rng.integers(len(keys) + 1), sitting.standing(body, rng, -0.03))
    return keys


def _lie(body: Body, rng: Generator) -> list[KeyPose]:
    """Sample a sequence of neighbouring poses: sitting, on the back, on a side, on the front."""
    place, keys = rng.choice(4, p=[0.15, 0.35, 0.25, 0.25]), []
    rolled = rng.random() < 0.5
    for _ in range(rng.integers(2, 5)):
        if place == 0:
            key = sitting.on_floor(body, rng)
        elif place == 1:
            key = lying.on_back(body, rng)
        elif place == 2:
            key = lying.on_side(body, rng)
            if (key.turn.apply([1, 0, 0])[1] > 0) != rolled:
                key = swapped(key)
        else:
            key = _about_face(lying.on_front(body, rng))
        keys.append(key)
        place = int(np.clip(place + rng.choice([-1, 0, 1]), 0, 3))
    return keys


def _push_up(body: Body, rng: Generator) -> list[KeyPose]:
    up, down = low.planks(body, rng)
    return [up, down] * rng.integers(2, 4) + [up]


def _lunge(body: Body, rng: Generator) -> list[KeyPose]:
    keys = []
    for _ in range(rng.integers(1, 4)):
        keys += [sitting.standing(body, rng, 0.0), low.lunging(body, rng)]
    return keys


def _bend(body: Body, rng: Generator) -> list[KeyPose]:
    keys = []
    for _ in range(rng.integers(1, 3)):
        keys += [sitting.standing(body, rng, -0.02), low.bending(body, rng)]
    return [*keys, sitting.standing(body, rng, -0.02)]


@dataclass(frozen=True)
class _Kind:
    """A kind of simulated motion.

    Attributes:
        share: Share of all clips.
        hold: Least and greatest seconds for which a pose is held.
        draw: Samples the key poses of a clip, in order.
    """

    share: float
    hold: tuple[float, float]
    draw: Callable[[Body, Generator], list[KeyPose]]


_KINDS = {
    "sitting": _Kind(0.24, (1.0, 5.0), _chair),
    "sitting on the floor": _Kind(0.13, (1.0, 5.0), _floor),
    "kneeling": _Kind(0.14, (0.6, 4.0), _kneel),
    "crouching": _Kind(0.13, (0.5, 4.0), _crouch),
    "lying": _Kind(0.14, (0.8, 3.5), _lie),
    "push-ups": _Kind(0.03, (0.1, 0.8), _push_up),
    "lunging": _Kind(0.03, (0.3, 1.5), _lunge),
    "bending to the floor": _Kind(0.05, (0.3, 2.0), _bend),
}
_GAITS = {"crawling": (0.07, crawl), "climbing": (0.04, climb)}


def _draw(action: str, body: Body, rate: float, rng: Generator) -> Tracks:
    if action in _GAITS:
        return _GAITS[action][1](body, int(rng.uniform(6, 12) * rate), rate, rng)
    kind = _KINDS[action]
    keys = kind.draw(body, rng)
    holds = np.exp(rng.uniform(np.log(kind.hold[0]), np.log(kind.hold[1]), len(keys)))
    return interpolate(keys, holds, np.array([_seconds(a, b, rng) for a, b in pairwise(keys)]), rate, rng)


def _seconds(a: KeyPose, b: KeyPose, rng: Generator) -> float:
    """Sample the seconds from one pose to another, by the motion of the pelvis and the feet."""
    far = np.linalg.norm(a.pelvis - b.pelvis) + 0.5 * np.linalg.norm(a.feet - b.feet, axis=1).max()
    return float(
        np.clip((0.6 + far + 0.5 * (a.turn.inv() * b.turn).magnitude()) * rng.uniform(0.8, 1.5), 0.5, 3.5)
    )


def make_rare_postures(table: MotionCapture, *, minutes: float, seed: int) -> MotionCapture:
    """Make clips of people in rare postures, with the bodies and the upper-body motion of recorded people.

    Args:
        table: The recorded motion.
        minutes: Length of the result, which is longer by less than one clip.
        seed: The same seed gives the same clips.

    Returns:
        Clips at the rate of `table`, with subject "made". The action names the posture; the source names the
        recorded clip.

    Raises:
        ValueError: `minutes` is not positive.
    """
    if not minutes > 0:
        raise ValueError("minutes must be positive")
    rng = np.random.default_rng(seed)
    donors = calm_clips(table)
    chances = np.sqrt(table.lengths[donors])
    actions = [*_KINDS, *_GAITS]
    shares = np.array([k.share for k in _KINDS.values()] + [share for share, _ in _GAITS.values()])
    spent, drawn_again = np.zeros(len(actions)), 0
    clips: list[Points] = []
    names, chosen, sources = [], [], []
    while spent.sum() < minutes * 60 * table.rate:
        kind = int(np.argmin((spent + rng.uniform(0, 5 * table.rate, len(actions))) / shares))
        index = int(rng.choice(donors, p=chances / chances.sum()))
        whole = Donor.of(table.clip(index))
        tracks = _draw(actions[kind], body_of(whole), table.rate, rng)
        joints = pose(
            tracks, whole.paced(len(tracks.pelvis), rng.uniform(0, len(whole)), rng.uniform(0.6, 1.0))
        )
        if np.abs(np.diff(joints, 2, axis=0)).max() * table.rate**2 > _MOST_ACCELERATION and drawn_again < 50:
            drawn_again += 1  # for example, because an elbow would have to swing round too fast
            continue
        drawn_again = 0
        clips.append(joints - joints[0, 0] * [1, 1, 0])
        spent[kind] += len(joints)
        names.append(f"made_{seed}_{len(clips):04d}")
        chosen.append(actions[kind])
        sources.append(
            f"key poses on the body and upper-body motion of {table.names[index]} ({table.sources[index]})"
        )
    lengths = np.array([len(c) for c in clips])
    return MotionCapture(
        np.concatenate(clips).astype(np.float32), lengths, table.rate, tuple(names), ("made",) * len(clips),
        tuple(chosen), tuple(sources),
    )  # fmt: skip
