"""Times of which pauses are shortened, so that no work is done for time that was not filmed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shorten_pauses(times: NDArray[np.float64], longest: float) -> NDArray[np.float64]:
    """Return the times with every step from frame to frame shortened to at most `longest`.

    Cameras pause, take time lapses, and write wrong time stamps that jump by hours. No frame lies in such a
    pause, so it is no reason to wait, to interpolate, or to take a person for lost.

    Args:
        times: (n,) seconds, rising.
        longest: Seconds.

    Returns:
        (n,) seconds that begin at the same time; the same array if no step is longer.
    """
    steps = np.diff(times)
    if not len(steps) or steps.max() <= longest:
        return times
    return np.concatenate([times[:1], times[0] + np.cumsum(np.minimum(steps, longest))])
