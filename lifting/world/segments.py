"""Where a track can be treated as one continuous motion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_LONGEST_STEP = 2.5  # of the usual time step; a longer one is a gap
_BURST = 8  # frames over which the usual step is measured, because frames may come in bursts


def unbroken(times: NDArray[np.float64], known: NDArray[np.bool_]) -> list[slice]:
    """Find the runs of rows without a gap.

    Args:
        times: (T,) seconds, rising.
        known: (T,) whether the row has a value.

    Returns:
        The runs of known rows, in order. A time step of more than 2.5 times the usual one ends a run.
    """
    if not len(times):
        return []
    steps = np.diff(times)
    usual = np.median(steps[steps > 0]) if (steps > 0).any() else np.inf
    if len(steps) >= 2 * _BURST:
        usual = max(usual, np.median(times[_BURST:] - times[:-_BURST]) / _BURST)
    cuts = np.flatnonzero((steps > _LONGEST_STEP * usual) | ~known[1:] | ~known[:-1]) + 1
    edges = [0, *cuts.tolist(), len(times)]
    return [slice(a, b) for a, b in pairwise(edges) if known[a]]
