"""Which joint angles the picture shows. An angle is a guess if a joint is hidden, or outside the picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17

_JOINTS = {  # by the beginning of an angle's name, the longest first; those of a side without their l or r
    "pelvis": ("lhip", "rhip", "thorax"),
    "trunk_lean": ("lhip", "rhip", "thorax"),
    "trunk_twist": ("lhip", "rhip", "lshoulder", "rshoulder"),
    "hip_rotation": ("hip", "knee", "foot"),
    "hip": ("hip", "knee"),
    "knee": ("hip", "knee", "foot"),
    "ankle": ("knee", "foot"),
    "shoulder": ("shoulder", "elbow"),
    "elbow": ("shoulder", "elbow", "wrist"),
}


def seen_angles(confidence: NDArray[np.floating], names: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """Return for each angle the frames on which the picture shows all of its joints.

    Args:
        confidence: (F, 17) of Human3.6M's joints, 0–1; NaN in a gap.
        names: Angles of `angles.joint_angles`.

    Returns:
        Name → (F,).
    """
    shows = confidence > 0
    return {name: np.asarray(shows[:, joints_of(name)].all(1)) for name in names}


def joints_of(angle: str) -> list[int]:
    """Return the joints, indices of Human3.6M's, that an angle of `angles.joint_angles` depends on."""
    joints = next(joints for start, joints in _JOINTS.items() if angle.startswith(start))
    side = {"right": "r", "left": "l"}.get(angle.rpartition("_")[2], "")
    return [H36M17.index(side + joint) for joint in joints]
