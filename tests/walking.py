"""A person who walks, made by rule, with angles that are known; and pose tables of such people."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.exports.clock import make_clock
from videopose.lifting.exports.motion import Motion, make_motion
from videopose.lifting.exports.tracks import tracks_in_world
from videopose.lifting.pose_table import PoseTable
from videopose.skeleton import H36M17

THIGH, SHIN, ANKLE = 0.42, 0.43, 0.07  # metres
CAMERA_ROTATION = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)  # world ← a level camera
CAMERA_POSITION = np.array([0, -5, 1.2], np.float32)


def walking(frames: int = 90, rate: float = 30.0, *, heading: float = 0.0) -> dict[str, NDArray[np.float64]]:
    """Joints of a person who walks along x, turned by `heading` degrees to the left, and their true angles.

    "joints": (T, 17, 3) H36M17, metres, x right, y forward, z up. In degrees, (T,): "hip_flexion_r" and "_l",
    "knee_flexion_r" and "_l", "shoulder_flexion_r" and "_l", "elbow_flexion_r" and "_l".
    """
    phase = 2 * np.pi * 0.9 * np.arange(frames) / rate
    at = {name: np.zeros((frames, 3)) for name in H36M17.names}
    angles = {}
    for side, y, shift in (("l", 1, 0.0), ("r", -1, np.pi)):
        swing = np.sin(phase + shift)
        hip = 5 + 22 * swing
        knee = 8 + 25 * (1 + np.sin(phase + shift + 1.1))
        shoulder, elbow = 3 - 20 * swing, 20 - 10 * swing
        at[side + "hip"] = at["hip"] + (0, 0.1 * y, 0)
        at[side + "knee"] = at[side + "hip"] + THIGH * _down(hip)
        at[side + "foot"] = at[side + "knee"] + SHIN * _down(hip - knee)
        at[side + "shoulder"] = at["hip"] + (0, 0.18 * y, 0.45)
        at[side + "elbow"] = at[side + "shoulder"] + 0.28 * _down(shoulder)
        at[side + "wrist"] = at[side + "elbow"] + 0.25 * _down(shoulder + elbow)
        named = {
            "hip_flexion": hip,
            "knee_flexion": knee,
            "shoulder_flexion": shoulder,
            "elbow_flexion": elbow,
        }
        angles |= {f"{name}_{side}": value for name, value in named.items()}
    for name, offset in {"spine": (0, 0, 0.24), "thorax": (0, 0, 0.5)}.items():
        at[name] = at["hip"] + offset
    at["nose"], at["head"] = at["thorax"] + (0.065, 0, 0.1), at["thorax"] + (0, 0, 0.22)
    joints = np.stack([at[name] for name in H36M17.names], 1)
    joints[..., 2] += ANKLE - joints[:, [3, 6], 2].min(1)[:, None]
    joints[..., 0] += (1.1 * np.arange(frames) / rate)[:, None]
    turned = Rotation.from_euler("z", heading, degrees=True).apply(joints.reshape(-1, 3))
    return angles | {"joints": turned.reshape(joints.shape)}


def _down(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 3): straight down, swung forwards by an angle."""
    return np.stack([np.sin(np.radians(degrees)), 0 * degrees, -np.cos(np.radians(degrees))], 1)


def table_of(
    people: dict[int, NDArray[np.float64]],
    *,
    rate: float = 30.0,
    first: dict[int, int] | None = None,
    time: NDArray[np.float64] | None = None,
) -> PoseTable:
    """A pose table of people's joints (T, 17, 3) in the world; NaN where a person is not in a frame.

    first: the frame on which a track begins, 0 if it is not named.
    """
    starts = {number: (first or {}).get(number, 0) for number in people}
    count = max(starts[number] + len(joints) for number, joints in people.items())
    rows = [(number, joints[np.isfinite(joints).all((1, 2))]) for number, joints in sorted(people.items())]
    frames = [starts[number] + np.flatnonzero(np.isfinite(people[number]).all((1, 2))) for number, _ in rows]
    seen = (np.concatenate([joints for _, joints in rows]) - CAMERA_POSITION) @ CAMERA_ROTATION
    total = len(seen)
    focal, size = 1000.0, (1280, 720)
    return PoseTable(
        track=np.repeat([number for number, _ in rows], [len(joints) for _, joints in rows]).astype(np.int32),
        frame=np.concatenate(frames).astype(np.int32),
        keypoints=np.tile(np.array([size[0] / 2, size[1] / 2, 1], np.float32), (total, 17, 1)),
        pose=(seen - seen[:, :1]).astype(np.float32),
        root=seen[:, 0].astype(np.float32),
        filled=np.zeros(total, np.bool_),
        time=np.arange(count) / rate if time is None else time,
        size=size,
        intrinsics=Intrinsics(focal, focal, size[0] / 2, size[1] / 2),
        meta={"world": {}},  # so that it is not looked for again
        camera_rotation=np.tile(CAMERA_ROTATION, (count, 1, 1)),
        camera_position=np.tile(CAMERA_POSITION, (count, 1)),
    )


def motions_of(table: PoseTable, fps: float | None = None) -> list[Motion]:
    """Everyone in the table on an export's clock."""
    clock = make_clock(table.time, table.rate, fps)
    return [make_motion(track, clock) for track in tracks_in_world(table)]
