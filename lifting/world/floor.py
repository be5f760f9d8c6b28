"""Where the floor is: the plane through the spots on which feet stood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..cameras.level import ANKLE_HEIGHT
from ..vectors import unit
from .contact import find_contact

_PIECE = 0.6  # seconds: a longer contact gives several spots
_BODY_ERROR = np.radians(5.0)  # of the up direction found from one person's body
_ROLL_ERROR = np.radians(4.0)  # of a camera from level: people hold cameras level from side to side
_SPOT_ERROR = (0.05, 0.04)  # metres, and a fraction of the distance: how far a spot may be off the floor
_PERSON_ERROR = 0.1  # metres: how far one person's floor may be off the others'
_SHARE = 0.15  # of the spots, which make a level the floor
_ROUNDS = 10


def standing_spots(
    ankles: NDArray[np.floating],
    times: NDArray[np.float64],
    up: NDArray[np.float64],
    seen: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Find the spots on which one person's feet stood.

    Args:
        ankles: (T, 2, 3) left and right, metres, in a space that does not turn; NaN where not known.
        times: (T,) seconds.
        up: (3,), about up in that space.
        seen: (T, 2), as for `find_contact`.

    Returns:
        (S, 3) ankles at rest, one for every 0.6 s or less of a contact.
    """
    heights = np.stack([ankles @ axis for axis in _axes(up)], -1)
    standing = find_contact(heights, times, seen=seen) > 0.5
    spots = []
    for foot in (0, 1):
        edges = np.flatnonzero(np.diff(standing[:, foot].astype(np.int8), prepend=0, append=0))
        for start, end in edges.reshape(-1, 2):
            pieces = max(1, min(round((times[end - 1] - times[start]) / _PIECE), end - start))
            for part in np.array_split(ankles[start:end, foot], pieces):
                spots.append(np.median(part, 0))
    return np.array(spots, np.float64).reshape(-1, 3)


def fit_floor(
    spots: Sequence[NDArray[np.float64]],
    up: NDArray[np.float64],
    *,
    bodies: int,
    fixed: bool = False,
) -> tuple[NDArray[np.float64], float | None]:
    """Fit one floor to the spots of all people, and correct the up direction by it.

    A robust least-squares fit: it minimises the distances of the spots from the floor, the change of `up`,
    the camera's roll, and the differences between the floors of single people. If people stand on several
    levels, the lowest is the floor.

    Args:
        spots: (S, 3) of each person, as of `standing_spots`, in the space of the first frame's camera.
        up: (3,), the up direction found from bodies.
        bodies: the number of people that it was found from.
        fixed: keep `up` as it is.

    Returns:
        Up (3,), and the camera's height above the floor in metres; None without any spot.
    """
    counts = [len(each) for each in spots if len(each)]
    if not counts:
        return up, None
    points = np.concatenate([each for each in spots if len(each)])
    person = np.repeat(np.arange(len(counts)), counts)
    members = np.eye(len(counts))[person]
    spread = np.hypot(_SPOT_ERROR[0], _SPOT_ERROR[1] * np.linalg.norm(points, axis=1))
    body_error = _BODY_ERROR / np.sqrt(max(1, bodies))
    first, height = up, np.full(len(counts), -_lowest_level(points @ up, spread))
    for _ in range(_ROUNDS):
        east = _axes(up)[0]
        north = np.cross(up, east)
        off = points @ up + height[person]
        trust = 1 / (1 + (off / (2 * spread)) ** 2) / spread  # Geman–McClure
        # Unknowns: turns of `up` to the east and north, each person's height, the common height.
        turns = np.stack([points @ east, points @ north], 1)
        rows = [np.concatenate([turns, members, np.zeros((len(points), 1))], 1) * trust[:, None]]
        values = [-(points @ up) * trust]
        between = np.concatenate([np.zeros((len(counts), 2)), np.eye(len(counts))], 1)
        rows.append(np.concatenate([between, -np.ones((len(counts), 1))], 1) / _PERSON_ERROR)
        values.append(np.zeros(len(counts)))
        prior = np.zeros((3, 3 + len(counts)))
        prior[:2, :2] = np.eye(2) / (1e-6 if fixed else body_error)
        roll_error = _ROLL_ERROR * np.sqrt(1 + (up[0] / (2 * _ROLL_ERROR)) ** 2)
        prior[2, :2] = np.array([east[0], north[0]]) / roll_error
        rows.append(prior)
        values.append(np.array([(first - up) @ east, (first - up) @ north, 0]) / body_error)
        values[-1][2] = -up[0] / roll_error
        if fixed:
            values[-1][:] = 0
        solved = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]
        up = first if fixed else unit(up + solved[0] * east + solved[1] * north)
        height, common = solved[2:-1], float(solved[-1])
    return up, common + ANKLE_HEIGHT


def _lowest_level(heights: NDArray[np.float64], spread: NDArray[np.float64]) -> float:
    """The lowest height around which enough of the spots lie; `spread`: how far a spot may be off."""
    order = np.argsort(heights)
    needed = min(len(heights), max(2, round(_SHARE * len(heights))))
    for index in order:
        near = np.abs(heights - heights[index]) < 2 * spread
        if near.sum() >= needed:
            return float(np.median(heights[near]))
    return float(np.median(heights))


def lowest_floor(lowest: NDArray[np.float64]) -> float | None:
    """Estimate the camera's height by the lowest joints of all people, for clips in which no foot is at rest.

    Args:
        lowest: (N,) metres along up from the camera to the lowest joint of each pose; NaN where not known.
    """
    lowest = lowest[np.isfinite(lowest)]
    return float(ANKLE_HEIGHT - np.percentile(lowest, 15)) if len(lowest) else None


def _axes(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3): two horizontal unit vectors and `up`."""
    least = np.eye(3)[np.argmin(np.abs(up))]
    east = unit(np.cross(least, up))
    return np.stack([east, np.cross(up, east), up])
