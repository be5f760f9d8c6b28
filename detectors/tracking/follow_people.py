"""Track the people of a clip: link detections, and fill gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..people import People
from .gaps import fill_gaps
from .linking import link
from .track import Track


def follow_people(
    people: Sequence[People],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_gap: float,
) -> list[Track]:
    """Follow the people of a clip: `link`, then `fill_gaps`.

    Args:
        people: The people on each frame.
        frames: (n,) the clip's frame numbers, rising.
        times: (n,) their times in seconds, rising.
        max_gap: Seconds up to which a gap is filled.

    Raises:
        ValueError: If `people`, `frames` and `times` disagree.
    """
    return fill_gaps(link(people, frames=frames, times=times), frames=frames, times=times, max_gap=max_gap)
