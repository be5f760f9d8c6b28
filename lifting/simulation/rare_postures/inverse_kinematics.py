"""Inverse kinematics of two bones, such as the position of the knee for a given hip and ankle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def unit(vectors: Points) -> Points:
    """Normalise vectors (…, 3) to length 1. A zero vector stays zero."""
    norms: Points = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)


_SOFT = 0.006  # metres


def _within(values: Points, low: float, high: float) -> Points:
    """Limit values smoothly to the range from `low` to `high`."""
    below = 0.5 * (values + high - np.sqrt((values - high) ** 2 + _SOFT**2))
    inside = 0.5 * (below + low + np.sqrt((below - low) ** 2 + _SOFT**2))
    return np.clip(inside, low, high)


def two_bones(
    root: Points,
    target: Points,
    pole: Points,
    lengths: tuple[float, float],
    *,
    flexion: tuple[float, float] = (0.1, 2.75),
) -> tuple[Points, Points]:
    """Place the middle joint and the end of a chain of two bones, by the law of cosines.

    Args:
        root: (…, 3) metres, the first joint.
        target: (…, 3) metres, the wanted position of the end.
        pole: (…, 3) direction to which the middle joint bends. Only its component at right angles to the line
            from root to target is used, so it must not be parallel to that line.
        lengths: Metres of the two bones.
        flexion: Least and greatest angle between the directions of the two bones, radians; 0 is a straight
            limb. If the target needs an angle outside this range, the end is on the line to the target. Near
            the limits, the distance is limited smoothly, so that the middle joint does not jerk.

    Returns:
        The positions of the middle joint and of the end, (…, 3) each. The bones have exactly the given
        `lengths`.
    """
    upper, lower = lengths
    low, high = (np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(a)) for a in flexion[::-1])
    reach = target - root
    distance = _within(np.linalg.norm(reach, axis=-1, keepdims=True), low, high)
    along = unit(reach)
    across = unit(pole - (pole * along).sum(-1, keepdims=True) * along)
    share = (distance**2 + upper**2 - lower**2) / (2 * distance)
    height = np.sqrt(np.maximum(upper**2 - share**2, 0))
    return root + share * along + height * across, root + distance * along
