"""People who were exchanged while they crossed: found by what they look like before and after, and mended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .appearance import difference, usual
from .history import History

_TOUCH = 0.15  # overlap of boxes (intersection over the smaller) from which two people may be exchanged
_APART = 0.4  # seconds without touching, after which another crossing begins
_WINDOW = 1.5  # seconds before and after a crossing in which people are looked at
_MARGIN = 8.0  # the exchange must explain the appearances better by this much, in CIELAB


def untangle(histories: Sequence[History], watched: NDArray[np.float64]) -> list[History]:
    """Exchange the later parts of two histories where that fits better what the people look like.

    Args:
        histories: The people.
        watched: (n,) seconds of the clip's frames, see `watched_time`.

    Returns:
        The histories, in the same order.
    """
    mended = list(histories)
    boxes = [history.boxes() for history in mended]
    crossings = sorted(
        (end, start, a, b)
        for a, b in combinations(range(len(mended)), 2)
        for start, end in _crossings(mended[a], mended[b], boxes[a], boxes[b], watched)
    )
    # From the first crossing to the last, so that what an exchange moves is right when the next is judged.
    for end, start, a, b in crossings:
        before, after = (
            [_looks(mended[each], watched, low, high) for each in (a, b)]
            for low, high in (
                (watched[start] - _WINDOW, watched[start]),
                (watched[end], watched[end] + _WINDOW),
            )
        )
        same = difference(before[0], after[0]) + difference(before[1], after[1])
        exchanged = difference(before[0], after[1]) + difference(before[1], after[0])
        if exchanged + _MARGIN < same:  # False where an appearance is not known
            middle = (start + end) // 2 + 1
            (first, first_tail), (second, second_tail) = mended[a].split(middle), mended[b].split(middle)
            mended[a], mended[b] = first.followed_by(second_tail), second.followed_by(first_tail)
    return [history for history in mended if history.indices]


def _crossings(
    a: History,
    b: History,
    a_boxes: NDArray[np.float32],
    b_boxes: NDArray[np.float32],
    watched: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Return the first and last frame index of each stretch on which the boxes of two people touch."""
    if a.indices[-1] < b.indices[0] or b.indices[-1] < a.indices[0]:
        return []
    both, at_a, at_b = np.intersect1d(a.indices, b.indices, return_indices=True)
    one, other = a_boxes[at_a], b_boxes[at_b]
    shared = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    least = np.minimum((one[:, 2:] - one[:, :2]).prod(1), (other[:, 2:] - other[:, :2]).prod(1))
    touching = both[np.clip(shared, 0, None).prod(1) > _TOUCH * np.maximum(least, 1e-6)]
    if not len(touching):
        return []
    edges = np.flatnonzero(np.diff(watched[touching]) > _APART) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(touching, edges)]


def _looks(history: History, watched: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return the usual appearance between two times, NaN where not known."""
    times = watched[history.indices]
    rows = np.flatnonzero((times >= low) & (times <= high))
    looks = [history.appearances[row] for row in rows]
    return usual(np.stack(looks)) if looks else np.full(len(history.remembered), np.nan)
