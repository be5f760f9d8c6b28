"""Track the people of a clip: link detections, choose people, and fill gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..people import People
from .gaps import fill_gaps
from .linking import link
from .presence import most_present
from .track import Track


def follow_people(
    people: Sequence[People],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    size: tuple[int, int],
    count: int | None,
    max_gap: float,
) -> list[Track]:
    """Follow the people of a clip: `link`, then `choose_and_fill`.

    Args:
        people: The people on each frame.
        frames: (n,) the clip's frame numbers, rising.
        times: (n,) their times in seconds, rising.
        size: The frames' width and height in pixels.
        count: How many people are kept; None for all.
        max_gap: Seconds up to which a gap is filled.

    Raises:
        ValueError: If `people`, `frames` and `times` disagree, or `count` is less than 1.
    """
    linked = link(people, frames=frames, times=times)
    return choose_and_fill(linked, frames=frames, times=times, size=size, count=count, max_gap=max_gap)


def choose_and_fill(
    tracks: Sequence[Track],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    size: tuple[int, int],
    count: int | None,
    max_gap: float,
) -> list[Track]:
    """Keep the tracks of the people who are most present, fill short gaps and split at long ones.

    People are chosen before gaps split their tracks, so that a person who was lost for a while counts once.

    Args:
        tracks: One a person, such as those of `link`.
        frames: (n,) the clip's frame numbers, rising.
        times: (n,) their times in seconds, rising.
        size: The frames' width and height in pixels.
        count: How many people are kept; None for all.
        max_gap: Seconds up to which a gap is filled.

    Raises:
        ValueError: If a track has a frame that is not among `frames`, or `count` is less than 1.
    """
    chosen = most_present(tracks, count, size)
    return fill_gaps(chosen, frames=frames, times=times, max_gap=max_gap)
