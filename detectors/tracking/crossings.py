"""Where people may have been exchanged: their sightings are cut where they change their look."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from .appearance import difference
from .sightings import Sightings

_TOUCH = 0.1  # overlap of boxes (intersection over the smaller) from which two people may be exchanged
_BESIDE = 0.3  # seconds before and after such a frame, or after a gap, in which a cut is looked for
_UNSEEN = 0.15  # seconds without a sighting after which another person may have been taken up
_WINDOW = 15  # sightings with a known look, before and after a cut, that are averaged
_SIGHTINGS = 3  # the least number of such sightings
_CHANGE = 9.0  # difference of looks, in CIELAB, from which sightings are cut
_AT_ONCE = 1024  # places that are looked at together, which bounds the memory


def cut_at_changes(
    people: Sequence[Sightings], watched: NDArray[np.float64]
) -> tuple[list[Sightings], dict[int, int]]:
    """Cut sightings where another person may have been taken up, by what they look like before and after.

    That may happen where two people touch, and after frames without a sighting. Elsewhere a change of look is
    one of light, and nothing is cut.

    Args:
        people: Their sightings.
        watched: (n,) seconds of the clip's frames, see `watched_time`.

    Returns:
        The pieces, and which piece followed which (index → index) before the cut.
    """
    doubtful = [_after_gaps(person, watched) for person in people]
    boxes = [person.boxes() for person in people]
    for a, b in combinations(range(len(people)), 2):
        at_a, at_b = _touching(people[a], people[b], boxes[a], boxes[b])
        doubtful[a][at_a] = doubtful[b][at_b] = True
    pieces: list[Sightings] = []
    followed: dict[int, int] = {}
    for person, doubt in zip(people, doubtful, strict=True):
        parts = _cut(person, _places(person, doubt, watched))
        for number in range(len(pieces), len(pieces) + len(parts) - 1):
            followed[number] = number + 1
        pieces.extend(parts)
    return pieces, followed


def _after_gaps(person: Sightings, watched: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which sightings (n,) follow a gap: frames without a sighting, for long enough."""
    indices = person.indices
    missed = np.diff(indices, prepend=indices[0]) > 1  # in slow footage, neighbouring frames are far apart
    return np.asarray(missed & (np.diff(watched[indices], prepend=watched[indices[0]]) > _UNSEEN))


def _touching(
    a: Sightings, b: Sightings, a_boxes: NDArray[np.float32], b_boxes: NDArray[np.float32]
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


def _places(person: Sightings, doubt: NDArray[np.bool_], watched: NDArray[np.float64]) -> list[int]:
    """Return the sightings before which a person's are cut, rising."""
    times = watched[person.indices]
    known = np.flatnonzero(np.isfinite(person.appearances).any(1))
    if len(known) < 2 * _SIGHTINGS:
        return []
    # A cut may lie between two successive sightings whose look is known: change[k] is before known[k].
    change = np.zeros(len(known))
    count = np.concatenate([[0], np.cumsum(doubt)])
    first = np.searchsorted(times, times[known] - _BESIDE)
    last = np.searchsorted(times, times[known] + _BESIDE, side="right")
    wanted = 1 + np.flatnonzero(count[last[1:]] > count[first[:-1]])
    looks = person.appearances[known]
    for start in range(0, len(wanted), _AT_ONCE):
        at = wanted[start : start + _AT_ONCE]
        change[at] = _changes(looks, at)
    places: list[int] = []
    while change.max() > _CHANGE:
        place = int(np.argmax(change))
        between = np.arange(known[place - 1] + 1, known[place] + 1)
        places.append(int(between[np.argmax(np.diff(times)[between - 1])]))
        change[max(place - _WINDOW, 0) : place + _WINDOW] = 0
    return sorted(set(places))


def _changes(looks: NDArray[np.float32], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how much looks (n, 30) differ before and after these rows; 0 where it is not known."""
    steps = np.arange(_WINDOW)
    before, after = at[:, None] - 1 - steps, at[:, None] + steps
    differences = difference(_means(looks, before), _means(looks, after))
    return np.asarray(np.nan_to_num(differences), np.float64)


def _means(looks: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the means (m, 30) of rows (m, w), without those beyond the ends; NaN if too few are known."""
    there = (rows >= 0) & (rows < len(looks))
    values = looks[np.clip(rows, 0, len(looks) - 1)].astype(np.float64)
    known = np.isfinite(values) & there[..., None]
    seen = known.sum(1)
    return np.where(seen >= _SIGHTINGS, np.where(known, values, 0).sum(1) / np.maximum(seen, 1), np.nan)


def _cut(person: Sightings, places: Sequence[int]) -> list[Sightings]:
    """Return the parts of a person's sightings between these."""
    return [person.between(begin, end) for begin, end in pairwise([0, *places, len(person)]) if end > begin]
