"""How much annotators differ on the position of each keypoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import Skeleton

# COCO's values, by the end of the keypoint's name. A joint that COCO does not have gets the value of a COCO
# keypoint that is equally hard to place: the hip for joints of the trunk, the ankle for joints of the foot,
# and the ear for joints of the head.
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
    "hip": 0.107, "knee": 0.087, "ankle": 0.089, "foot": 0.089, "head": 0.035,
}  # fmt: skip
_TRUNK = 0.107


def sigmas(skeleton: Skeleton) -> NDArray[np.float64]:
    """Return the standard deviation of annotated positions of each keypoint.

    Returns:
        (K,) in units of the person's size, which is the square root of the person's area in pixels.
    """
    return np.array([_sigma(name.lower()) for name in skeleton.names])


def _sigma(name: str) -> float:
    return next((value for part, value in _SIGMAS.items() if name.endswith(part)), _TRUNK)
