"""Where people may have been exchanged: histories are cut where what they show changes its look."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .appearance import difference
from .history import History

_TOUCH = 0.1  # overlap of boxes (intersection over the smaller) from which two people may be exchanged
_BESIDE = 0.3  # seconds before and after such a frame, or after a gap, in which a cut is looked for
_UNSEEN = 0.15  # seconds without a sighting after which another person may have been taken up
_WINDOW = 15  # sightings with a known look, before and after a cut, that are averaged
_SIGHTINGS = 3  # the least number of such sightings
_CHANGE = 9.0  # difference of looks, in CIELAB, from which a history is cut


def cut_at_changes(
    histories: Sequence[History], watched: NDArray[np.float64]
) -> tuple[list[History], dict[int, int]]:
    """Cut histories where another person may have been taken up, by what they look like before and after.

    That may happen where two people touch, and after frames without a sighting. Elsewhere a change of look is
    one of light, and nothing is cut.

    Args:
        histories: The people.
        watched: (n,) seconds of the clip's frames, see `watched_time`.

    Returns:
        The pieces, and which piece followed which (index → index) before the cut.
    """
    doubtful = [_after_gaps(history, watched) for history in histories]
    boxes = [history.boxes() for history in histories]
    for a, b in combinations(range(len(histories)), 2):
        at_a, at_b = _touching(histories[a], histories[b], boxes[a], boxes[b])
        doubtful[a][at_a] = doubtful[b][at_b] = True
    pieces: list[History] = []
    followed: dict[int, int] = {}
    for history, doubt in zip(histories, doubtful, strict=True):
        parts = _cut(history, _places(history, doubt, watched))
        for number in range(len(pieces), len(pieces) + len(parts) - 1):
            followed[number] = number + 1
        pieces.extend(parts)
    return pieces, followed


def _after_gaps(history: History, watched: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which sightings (n,) follow a gap: frames without a sighting, for long enough."""
    indices = np.asarray(history.indices)
    missed = np.diff(indices, prepend=indices[0]) > 1  # in slow footage, neighbouring frames are far apart
    return np.asarray(missed & (np.diff(watched[indices], prepend=watched[indices[0]]) > _UNSEEN))


def _touching(
    a: History, b: History, a_boxes: NDArray[np.float32], b_boxes: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the sightings of each at which the two touch."""
    if a.indices[-1] < b.indices[0] or b.indices[-1] < a.indices[0]:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    _, at_a, at_b = np.intersect1d(a.indices, b.indices, return_indices=True)
    one, other = a_boxes[at_a], b_boxes[at_b]
    shared = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    least = np.minimum((one[:, 2:] - one[:, :2]).prod(1), (other[:, 2:] - other[:, :2]).prod(1))
    touching = np.clip(shared, 0, None).prod(1) > _TOUCH * np.maximum(least, 1e-6)
    return at_a[touching], at_b[touching]


def _places(history: History, doubt: NDArray[np.bool_], watched: NDArray[np.float64]) -> list[int]:
    """Return the sightings before which a history is cut, rising."""
    times = watched[history.indices]
    looks = np.stack(history.appearances).astype(np.float64)
    known = np.flatnonzero(np.isfinite(looks).any(1))
    if len(known) < 2 * _SIGHTINGS:
        return []
    # A cut may lie between two successive sightings whose look is known: change[k] is before known[k].
    change = np.zeros(len(known))
    at = np.arange(len(known))
    before = _means(looks[known], np.maximum(at - _WINDOW, 0), at)
    after = _means(looks[known], at, np.minimum(at + _WINDOW, len(known)))
    change[1:] = np.nan_to_num(difference(before, after))[1:]
    count = np.concatenate([[0], np.cumsum(doubt)])
    first = np.searchsorted(times, times[known] - _BESIDE)
    last = np.searchsorted(times, times[known] + _BESIDE, side="right")
    change[1:][count[last[1:]] == count[first[:-1]]] = 0
    places: list[int] = []
    while change.max() > _CHANGE:
        place = int(np.argmax(change))
        between = np.arange(known[place - 1] + 1, known[place] + 1)
        places.append(int(between[np.argmax(np.diff(times)[between - 1])]))
        change[max(place - _WINDOW, 0) : place + _WINDOW] = 0
    return sorted(set(places))


def _means(looks: NDArray[np.float64], low: NDArray[np.intp], high: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the means of the rows from `low` to `high`; NaN where fewer than `_SIGHTINGS` are known."""
    known = np.isfinite(looks)
    nothing = np.zeros((1, looks.shape[1]))
    total = np.concatenate([nothing, np.cumsum(np.where(known, looks, 0), 0)])
    number = np.concatenate([nothing, np.cumsum(known, 0)])
    seen = number[high] - number[low]
    return np.where(seen >= _SIGHTINGS, (total[high] - total[low]) / np.maximum(seen, 1), np.nan)


def _cut(history: History, places: Sequence[int]) -> list[History]:
    """Return the parts of a history between these sightings."""
    parts, rest = [], history
    for place in places:
        first, rest = rest.split(history.indices[place])
        parts.append(first)
    return [part for part in (*parts, rest) if part.indices]
