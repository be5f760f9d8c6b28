"""A stick figure that walks on a floor, with the exact answer, and a camera that films it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.world.foot_lock import reach
from videopose.skeleton import H36M17

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]
RATE = 30.0


@dataclass(frozen=True)
class Walk:
    """joints: (T, 17, 3) in the world, z up. standing: (T, 2), the left and right foot. times: (T,)."""

    joints: NDArray[np.float64]
    standing: NDArray[np.bool_]
    times: NDArray[np.float64]


def _walk(
    seconds: float = 4.0, *, step: float = 0.45, bearing: float = 0.0, start: tuple[float, float] = (0, 0)
) -> Walk:
    """Walk along `bearing` (degrees from x to y), two steps a second; step 0 stands."""
    times = np.arange(round(seconds * RATE)) / RATE
    cycle = times  # one cycle (two steps) a second
    speed = 2 * step
    joints = np.zeros((len(times), 17, 3))
    standing = np.zeros((len(times), 2), np.bool_)
    at = {name: index for index, name in enumerate(H36M17.names)}

    def put(name: str, along: Any, left: float, up: Any) -> None:
        joints[:, at[name]] = np.stack(np.broadcast_arrays(along, left, up), -1)

    hip = speed * times
    put("hip", hip, 0, 0.84)
    for name, up, along in (("spine", 1.08, 0), ("thorax", 1.34, 0), ("nose", 1.46, 0.06), ("head", 1.61, 0)):
        put(name, hip + along, 0, up)
    for foot, (side, sign) in enumerate((("l", 1), ("r", -1))):
        put(f"{side}hip", hip, 0.11 * sign, 0.84)
        put(f"{side}shoulder", hip, 0.18 * sign, 1.34)
        put(f"{side}elbow", hip, 0.2 * sign, 1.06)
        put(f"{side}wrist", hip + 0.05, 0.2 * sign, 0.82)
        phase = cycle + 0.5 * foot
        whole, part = np.floor(phase), phase % 1
        swing = np.clip((part - 0.6) / 0.4, 0, 1)  # 60 % stance, 40 % swing
        smooth = swing * swing * (3 - 2 * swing)
        along = (whole - 0.5 * foot + smooth) * speed + 0.3 * speed
        put(f"{side}foot", along, 0.11 * sign, 0.07 + (0.12 * np.sin(np.pi * swing) if step else 0))
        standing[:, foot] = (swing == 0) | (step == 0)
        leg = [at[side + name] for name in ("hip", "knee", "foot")]
        template = joints[:, leg].copy()
        template[:, 2] = template[:, 0] - (0, 0, 0.84)
        template[:, 1] = template[:, 0] + (0.03, 0, -0.42)
        joints[:, leg[1:]] = reach(template, joints[:, leg[2]])
    angle = np.radians(bearing)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return Walk(joints @ turn.T + (*start, 0), standing, times)


def _film(
    walks: list[Walk],
    rotation: NDArray[np.float64],
    position: tuple[float, float, float],
    **changes: Any,
) -> PoseTable:
    """Film people with one still camera. rotation: (3, 3) or (T, 3, 3) world ← camera. The table's own camera
    is level, as after detection."""
    frames = max(len(walk.times) for walk in walks)
    turn = np.broadcast_to(rotation, (frames, 3, 3))
    seen = np.concatenate([
        np.einsum("tji,tkj->tki", turn[: len(walk.times)], walk.joints - np.array(position)) for walk in walks
    ])  # fmt: skip
    keypoints = np.zeros((len(seen), 17, 3), np.float32)
    keypoints[..., 2] = 0.9
    values: dict[str, Any] = {
        "track": np.concatenate([np.full(len(w.times), i, np.int32) for i, w in enumerate(walks)]),
        "frame": np.concatenate([np.arange(len(w.times), dtype=np.int32) for w in walks]),
        "keypoints": keypoints,
        "pose": (seen - seen[:, :1]).astype(np.float32),
        "root": seen[:, 0].astype(np.float32),
        "filled": np.zeros(len(seen), np.bool_),
        "time": max((walk.times for walk in walks), key=len),
        "size": (1280, 720),
        "intrinsics": Intrinsics.centred(1000, (1280, 720)),
    }
    return PoseTable(**values | changes)


@pytest.fixture(scope="session")
def walk() -> Callable[..., Walk]:
    return _walk


@pytest.fixture(scope="session")
def film() -> Callable[..., PoseTable]:
    return _film
