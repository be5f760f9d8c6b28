"""Markers: points on a person by the names that OpenSim's users know from Pose2Sim.

They are those of its set COCO_17, and those of feet in HALPE_26 where the detector found heels and toes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17
from .motion import Motion

_SOURCES = {
    **{"Hip": "lhip rhip", "RHip": "rhip", "RKnee": "rknee", "RAnkle": "rfoot"},
    **{"LHip": "lhip", "LKnee": "lknee", "LAnkle": "lfoot"},
    **{"Neck": "lshoulder rshoulder", "Nose": "nose"},
    **{"RShoulder": "rshoulder", "RElbow": "relbow", "RWrist": "rwrist"},
    **{"LShoulder": "lshoulder", "LElbow": "lelbow", "LWrist": "lwrist"},
}
MARKERS = tuple(_SOURCES)
"""The names of the body's markers, in the order of the files."""

FOOT_MARKERS = tuple(side + part for side in "LR" for part in ("Heel", "BigToe", "SmallToe"))
"""The names of the feet's markers, which come after those of the body."""


def marker_positions(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 15, 3) markers of (T, 17, 3) Human3.6M joints; NaN stays NaN."""
    columns = [
        joints[:, [H36M17.index(joint) for joint in sources.split()]].mean(1) for sources in _SOURCES.values()
    ]
    return np.stack(columns, 1)


def markers_of(motion: Motion) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the names of a person's markers, and their places (F, markers, 3), z up; NaN in a gap."""
    points = marker_positions(motion.joints)
    if motion.feet is None:
        return MARKERS, points
    feet = motion.feet.positions.reshape(len(points), len(FOOT_MARKERS), 3)
    return (*MARKERS, *FOOT_MARKERS), np.concatenate([points, feet], 1)
