"""Long pauses of a video: where no frame was filmed for a while, or time stamps jump."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LONG = 1.0  # seconds
_TIMES_USUAL = 3.0  # of the usual step from frame to frame, in a time lapse


def shown_pause(time: NDArray[np.float64]) -> float:
    """Return the seconds for which an animation shows a frame before a pause, at most.

    Args:
        time: (T,) seconds of all frames, rising.
    """
    steps = np.diff(time)
    return max(_LONG, _TIMES_USUAL * float(np.median(steps))) if len(steps) else _LONG


def long_pauses(time: NDArray[np.float64]) -> list[int]:
    """Return the frames after which there is a pause that animations shorten.

    Args:
        time: (T,) seconds of all frames, rising.
    """
    return [int(frame) for frame in np.flatnonzero(np.diff(time) > shown_pause(time))]
