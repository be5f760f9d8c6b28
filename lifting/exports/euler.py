"""Euler angles that do not jump from one frame to the next."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Order = Literal["ZXY", "ZYX"]


def continuous_euler(rotations: NDArray[np.float64], order: Order) -> NDArray[np.float64]:
    """Return intrinsic Euler angles in degrees, each frame's closest to the frame before.

    Three angles and two others mean the same rotation, and each of the angles may have 360° added. Of all
    these, every frame takes the ones that change least.

    Args:
        rotations: (T, 4) quaternions x, y, z, w.
        order: Three different axes such as "ZXY": the first one is turned about first.

    Returns:
        (T, 3) degrees in the order of the axes. The first frame's middle angle is within ±90°.
    """
    with warnings.catch_warnings():  # scipy warns of gimbal lock, where any split of two angles is right
        warnings.simplefilter("ignore")
        angles = Rotation.from_quat(rotations).as_euler(order, degrees=True)
    others = angles * (1, -1, 1) + (180, 180, 180)
    for frame in range(1, len(angles)):
        before = angles[frame - 1]
        first, second = (
            before + (candidate - before + 180) % 360 - 180 for candidate in (angles[frame], others[frame])
        )
        nearer = np.abs(first - before).sum() <= np.abs(second - before).sum()
        angles[frame] = first if nearer else second
    return np.asarray(angles)
