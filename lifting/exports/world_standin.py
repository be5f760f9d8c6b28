"""Joints in the world, from a pose table that does not say where the world is.

The camera is taken to be level. Each track is moved up or down as a whole, until its feet are on the floor
where they are low.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..pose_table import PoseTable
from .rig import ANKLE_HEIGHT

_SPACING = 1.2  # metres between people of whom no root is known
_FARTHEST = 1000.0  # metres; a root further away is an error of its estimate
_LOW_FEET = 85  # percentile of the lower foot's depth below the camera that stands on the floor


def world_joints(table: PoseTable) -> NDArray[np.float64]:
    """Return (N, 17, 3) joints, metres, x right, y forward, z up, floor at 0; NaN where there is no pose."""
    to_world = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float64)
    pose = table.pose.astype(np.float64) @ to_world.T
    root = table.root.astype(np.float64) @ to_world.T
    root[~(np.abs(root) < _FARTHEST).all(1)] = np.nan
    aside = 0.0
    for _, rows in table.tracks():
        known = np.isfinite(root[rows, 0])
        if known.any():
            frames = table.frame[rows]
            for axis in range(3):
                root[rows, axis] = np.interp(frames, frames[known], root[rows, axis][known])
        else:
            root[rows], aside = (aside, 0, 0), aside + _SPACING
        lowest = pose[rows, :, 2].min(1) + root[rows, 2]
        lowest = lowest[np.isfinite(lowest)]
        if len(lowest):
            root[rows, 2] += ANKLE_HEIGHT - np.percentile(lowest, 100 - _LOW_FEET)
    return pose + root[:, None]
