"""People who return after a longer absence: recognised by what they look like, and by where they left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .appearance import difference, usual
from .sightings import Sightings
from .similarity import sizes

_OTHER_LOOK = 11.0  # difference of appearances from which two are not one person
_STRIDE, _SPEED = 4.0, 5.0  # how far a person gets: at once, and a second, in units of the person's size
_HEIGHT = 1.2  # largest logarithm of the ratio of two sizes: a person who comes 3 times nearer
_AWAY, _TALLER = 0.25, 0.25  # costs of the greatest distance and ratio, where 1 is too much
_FORGETTING = 0.01  # cost of a second of absence
_LONGEST = 0.2  # the highest cost of an absence
_ALREADY = 0.5  # factor of the cost for pieces that followed each other before they were cut


def rejoin(
    people: Sequence[Sightings], watched: NDArray[np.float64], followed: Mapping[int, int]
) -> list[Sightings]:
    """Join sightings of the same person, one after the other in time.

    Two may be joined if the second begins after the first ended, the person could have got from the one place
    to the other, the sizes are not too different, and they look alike. What people look like must be known.
    Of all ways to join, the one of the greatest sum of gains is taken (Hungarian algorithm).

    Args:
        people: Their sightings.
        watched: (n,) seconds of the clip's frames, see `watched_time`.
        followed: Which person is followed by which, index → index, if neither fits another better.

    Returns:
        The people in the order of their first frames; those that begin together keep their order.
    """
    if len(people) > 1:
        cost = _costs(people, watched)
        for earlier, later in followed.items():
            if cost[earlier, later] < 1:
                cost[earlier, later] *= _ALREADY
        people = _joined(people, cost, followed)
    return sorted(people, key=lambda person: person.indices[0])


def _costs(people: Sequence[Sightings], watched: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, n) the cost that a person (row) is continued by another (column); 1 if impossible."""
    looks = np.stack([usual(person.appearances) for person in people])
    boxes = [person.boxes()[[0, -1]] for person in people]
    begins = np.array([person.indices[0] for person in people])
    ends = np.array([person.indices[-1] for person in people])
    first, last = (np.stack([each[end] for each in boxes]) for end in (0, 1))
    absence = watched[begins][None] - watched[ends][:, None]
    tall = [np.median(sizes(person.boxes())) for person in people]
    scale = np.maximum(np.minimum(np.array(tall)[:, None], np.array(tall)[None]), 1)
    middle = [(each[:, :2] + each[:, 2:]) / 2 for each in (last, first)]
    way = np.linalg.norm(middle[0][:, None] - middle[1][None], axis=-1) / scale
    reach = _STRIDE + _SPEED * np.maximum(absence, 0)
    sizes_at = [np.maximum(sizes(each), 1) for each in (last, first)]
    taller = np.abs(np.log(sizes_at[0][:, None] / sizes_at[1][None]))
    other = difference(looks[:, None], looks[None]) / _OTHER_LOOK
    possible = (begins[None] > ends[:, None]) & (way <= reach) & (taller <= _HEIGHT) & (other < 1)
    waited = np.minimum(_FORGETTING * absence, _LONGEST)
    with np.errstate(invalid="ignore"):
        cost = other + _AWAY * way / reach + _TALLER * taller / _HEIGHT + waited
    return np.where(possible & (cost < 1), cost, 1.0)


def _joined(
    people: Sequence[Sightings], cost: NDArray[np.float64], followed: Mapping[int, int]
) -> list[Sightings]:
    """Join the pairs of the cheapest assignment, and those of `followed` that it leaves single."""
    from scipy.optimize import linear_sum_assignment  # imported here because that takes a third of a second

    follower = {
        int(row): int(column)
        for row, column in zip(*linear_sum_assignment(cost), strict=True)
        if cost[row, column] < 1
    }
    taken = set(follower.values())
    for earlier, later in followed.items():
        if earlier not in follower and later not in taken:
            follower[earlier] = later
    joined = []
    for number in sorted(set(range(len(people))) - set(follower.values())):
        whole = people[number]
        while (number := follower.get(number, -1)) >= 0:
            whole = whole.followed_by(people[number])
        joined.append(whole)
    return joined
