"""Bone lengths of one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17


def bone_lengths(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Measure a person's bones: (T, 17, 3) → (17,), metres.

    Each bone's median over time; a left and a right bone share the mean of theirs. The hip has 0.
    """
    lengths = np.zeros(len(H36M17))
    for child, parent in H36M17.bones:
        lengths[child] = np.median(np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1))
    shared: NDArray[np.float64] = (lengths + lengths[list(H36M17.mirror)]) / 2
    return shared


def constant_bones(
    joints: NDArray[np.float64], lengths: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Give every frame the same bone lengths; the hip and each bone's direction stay.

    Args:
        joints: (T, 17, 3) H36M17, metres.
        lengths: (17,) of the bone to each joint's parent; None for `bone_lengths(joints)`.

    Returns:
        (T, 17, 3).
    """
    if not len(joints):
        return joints
    lengths = bone_lengths(joints) if lengths is None else lengths
    out = joints.copy()
    for child, parent in _FROM_THE_ROOT:
        bone = joints[:, child] - joints[:, parent]
        size = np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-6)
        out[:, child] = out[:, parent] + bone / size * lengths[child]
    return out


_FROM_THE_ROOT = H36M17.bones
"""(child, parent) pairs, in which every parent comes before its children."""
