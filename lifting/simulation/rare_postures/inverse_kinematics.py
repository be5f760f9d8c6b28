"""Two bones and a hinge: where the knee goes, given the hip and the ankle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def unit(vectors: Points) -> Points:
    """Vectors (…, 3) at length 1; a null vector stays null."""
    norms: Points = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)


_SOFT = 0.006  # metres


def _within(values: Points, low: float, high: float) -> Points:
    """Clip with rounded corners, strictly inside the bounds."""
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

    root, target: (…, 3) metres. pole: (…, 3) the side to which the middle joint bends; only its direction
    across the line from root to target counts, and it must not lie along that line. flexion: least and
    greatest angle between the two bones' directions, radians (0 is a straight limb); a target beyond them is
    followed in direction only, and within a centimetre of them nearly so: a hard stop would jerk the middle
    joint. Returns the middle and the end, (…, 3) each, at exactly the two `lengths`.
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
