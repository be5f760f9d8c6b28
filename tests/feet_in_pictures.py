"""Pose tables in whose pictures heels and toes were found: feet of a known direction, projected."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.detectors.people import FEET
from videopose.lifting.pose_table import PoseTable
from videopose.skeleton import COCO17, H36M17

# Metres from the ankle: ahead, to the left (of a left foot), up.
SHAPE = {"heel": (-0.055, 0.0, -0.055), "bigtoe": (0.195, -0.03, -0.055), "smalltoe": (0.155, 0.05, -0.055)}


def with_feet(
    table: PoseTable,
    heading: NDArray[np.float64] | float,
    pitch: NDArray[np.float64] | float = 0.0,
    *,
    noise: float = 0.0,
) -> PoseTable:
    """The table with ankles, heels and toes as the camera sees them.

    heading: degrees of both feet, to the left of the world's x. pitch: degrees by which toes point up. Both
    are numbers or (N,). noise: pixels.
    """
    rng, joints = np.random.default_rng(1), table.world().astype(np.float64)
    both = np.broadcast_to(np.stack(np.broadcast_arrays(heading, -np.asarray(pitch)), -1), (len(table), 2))
    turn = Rotation.from_euler("ZY", both, degrees=True)
    extra = np.empty((len(table), 6, 3), np.float32)
    keypoints = table.keypoints.copy()
    for side, sign in (("l", 1), ("r", -1)):
        ankle = joints[:, H36M17.index(side + "foot")]
        keypoints[:, COCO17.index(side + "ankle")] = _seen(
            table, ankle, rng.normal(0, noise, (len(table), 2))
        )
        for part, (ahead, aside, up) in SHAPE.items():
            at = ankle + turn.apply((ahead, sign * aside, up))
            extra[:, FEET.index(side + part)] = _seen(table, at, rng.normal(0, noise, (len(table), 2)))
    return replace(table, keypoints=keypoints, extra=extra, extra_names=FEET)


def _seen(table: PoseTable, points: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float32]:
    camera = table.intrinsics
    rotation, position = table.camera_rotation[table.frame], table.camera_position[table.frame]
    x, y, z = np.einsum("nji,nj->ni", rotation, points - position).T
    xy = np.stack([camera.cx + camera.fx * x / z, camera.cy + camera.fy * y / z], 1) + noise
    return np.concatenate([xy, np.full((len(xy), 1), 0.9)], 1).astype(np.float32)


def headings(feet: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 2) degrees, to the left of the world's x, of (T, 2, 3, 3) heels, big toes and small toes."""
    ahead = feet[:, :, 1:].mean(2) - feet[:, :, 0]
    return np.asarray(np.degrees(np.arctan2(ahead[..., 1], ahead[..., 0])))


def pitches(feet: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 2) degrees by which the toes of such feet point up."""
    ahead = feet[:, :, 1:].mean(2) - feet[:, :, 0]
    return np.asarray(np.degrees(np.arcsin(ahead[..., 2] / np.linalg.norm(ahead, axis=-1))))
