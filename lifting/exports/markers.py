"""Markers: points on a person by the names that OpenSim's users know from Pose2Sim's COCO_17 set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17

_SOURCES = {
    **{"Hip": "lhip rhip", "RHip": "rhip", "RKnee": "rknee", "RAnkle": "rfoot"},
    **{"LHip": "lhip", "LKnee": "lknee", "LAnkle": "lfoot"},
    **{"Neck": "lshoulder rshoulder", "Nose": "nose"},
    **{"RShoulder": "rshoulder", "RElbow": "relbow", "RWrist": "rwrist"},
    **{"LShoulder": "lshoulder", "LElbow": "lelbow", "LWrist": "lwrist"},
}
MARKERS = tuple(_SOURCES)
"""The markers' names, in the order of the files."""


def marker_positions(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 15, 3) markers of (T, 17, 3) Human3.6M joints; NaN stays NaN."""
    columns = [
        joints[:, [H36M17.index(joint) for joint in sources.split()]].mean(1) for sources in _SOURCES.values()
    ]
    return np.stack(columns, 1)
