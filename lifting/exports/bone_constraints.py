"""Move joints as little as possible until bones have given lengths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17

_ROUNDS = 40
_PLANTED = 0.05  # how far a planted foot moves, as a fraction of another joint in its place


def settle(
    joints: NDArray[np.float64],
    bones: Mapping[tuple[str, str], float],
    support: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give bones their lengths by moving both ends of each, in turn, again and again.

    Both ends of a bone move, so its error is spread over the neighbouring bones. Feet
    that stand on the floor hardly move; the joints above them move instead.

    Args:
        joints: (T, 17, 3) Human3.6M joints, metres.
        bones: The length of the line between two joints, metres, by their names.
        support: (T, 2), 0–1: how far the left and the right foot stand on the floor.

    Returns:
        (T, 17, 3).
    """
    settled = joints.copy()
    ease = np.ones(joints.shape[:2])
    feet = [H36M17.index("lfoot"), H36M17.index("rfoot")]
    ease[:, feet] = 1 - (1 - _PLANTED) * support
    lines = [(H36M17.index(a), H36M17.index(b), length) for (a, b), length in bones.items()]
    for _ in range(_ROUNDS):
        for first, second, length in lines:
            line = settled[:, second] - settled[:, first]
            now = np.maximum(np.linalg.norm(line, axis=-1), 1e-9)
            share = (now - length) / now / (ease[:, first] + ease[:, second])
            settled[:, first] += (share * ease[:, first])[:, None] * line
            settled[:, second] -= (share * ease[:, second])[:, None] * line
    return settled
