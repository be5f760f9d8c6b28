"""How fast heels and toes move, where the detector found them (`PoseTable.extra`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..pose_table import PoseTable
from .filters import butterworth
from .segments import unbroken

_CALM = 3.0  # Hz: cut-off of the low-pass filter on positions, as for ankles in `contact`
_SURE = 0.3  # least score of a heel or toe that counts
_PARTS = ("heel", "bigtoe")


def foot_speed(table: PoseTable) -> NDArray[np.float64] | None:
    """Return how fast each foot moves across the line of sight: the slower of heel and big toe.

    Keypoints show motion towards the camera hardly at all. Their speed is therefore a lower bound.

    Args:
        table: Keypoints, roots and cameras.

    Returns:
        (N, 2) metres a second, left and right foot; NaN where neither was found or the root is not known.
        None if the detector finds no heels and toes.
    """
    names = [[side + part for part in _PARTS] for side in "lr"]
    if not all(name in table.extra_names for foot in names for name in foot):
        return None
    columns = [table.extra_names.index(name) for foot in names for name in foot]
    found = table.extra[:, columns].astype(np.float64)
    camera = table.intrinsics
    rays = (found[..., :2] - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    rays = np.concatenate([rays, np.ones((*rays.shape[:2], 1))], -1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    # In the world's axes, so that a camera that turns does not move them.
    rays = np.einsum("nij,nkj->nki", table.camera_rotation[table.frame], rays)
    distance = np.linalg.norm(table.root.astype(np.float64), axis=-1)
    speed = np.full((len(table), len(columns)), np.nan)
    for _, rows in table.tracks():
        times = table.time[table.frame[rows]]
        for run in unbroken(times, np.isfinite(distance[rows])):
            part = slice(rows.start + run.start, rows.start + run.stop)
            if run.stop - run.start > 2 and times[run][-1] > times[run][0]:
                calm = butterworth(rays[part], times[run], _CALM)
                step = (times[run][-1] - times[run][0]) / (run.stop - run.start - 1)
                turning = np.linalg.norm(np.gradient(calm, step, axis=0), axis=-1)
                speed[part] = turning * np.median(distance[part])
    speed[found[..., 2] < _SURE] = np.inf
    slower = speed.reshape(len(table), 2, len(_PARTS)).min(-1)
    return np.where(np.isfinite(slower), slower, np.nan)
