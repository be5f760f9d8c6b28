"""Link the detections of a clip to tracks, one a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..people import People
from .appearance import difference
from .crossings import cut_at_changes
from .history import UNKNOWN, History
from .returning import rejoin
from .similarity import iou, keypoint_boxes, sizes
from .track import MIN_SIGHTINGS, Track, check_clock, fewest_sightings, watched_time

# The largest mean distance of keypoints from their expected positions, in units of the person's size (see
# `similarity.sizes`; 1 is about 0.7 m for an adult): right after a detection, the increase for each second
# since the last detection, and the upper bound.
_REACH, _REACH_PER_SECOND, _REACH_LIMIT = 0.6, 4.0, 4.0
_CONFIDENT = 0.3  # mean keypoint score; people with lower scores are assigned after the others
_OTHER_LOOK = 22.0  # difference of appearances from which two sightings are not of one person
_LOOK_COST = 0.5  # cost of such a difference, in the units of the other costs
_SAME_PLACE = 0.7  # overlap (intersection over union) of the expected box and that of a person who stays
_SAME_STEP = 0.15  # seconds of absence up to which a person may look twice as different, as under new light


def link(
    people: Sequence[People],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_absence: float = 2.0,
    min_seen: int = MIN_SIGHTINGS,
) -> list[Track]:
    """Link the detections of a clip to tracks, one a person.

    First frame by frame, as ByteTrack and OC-SORT do: a person is expected where they were last seen, moved
    on at the velocity between their recent detections. The assignment (Hungarian algorithm) minimises the sum
    of four terms: the mean distance of keypoints from where they are expected, weighted by scores, in units
    of the person's size; 1 minus the overlap of the boxes; the seconds since the last sighting, as
    `watched_time` counts them; and how different the people look. Detections with low scores are assigned
    after the others, to those who are left.

    Then with the whole clip known, and if it is known what people look like (`People.appearance`):
    `cut_at_changes` cuts where people may have been exchanged while they crossed, and `rejoin` recognises
    them, and those who return after a longer absence.

    Args:
        people: The people on each frame.
        frames: (n,) frame numbers, rising.
        times: (n,) their times in seconds, rising.
        max_absence: Seconds as `watched_time` counts them. A person who returns after a longer absence is a
            new person, unless they are recognised.
        min_seen: Tracks with fewer sightings are dropped, if the clip has at least twice that many frames.

    Returns:
        Tracks numbered from 0 in the order of their first frames. Tracks that begin on the same frame are in
        the detector's order.

    Raises:
        ValueError: If `people`, `frames` and `times` disagree.
    """
    check_clock(frames, times)
    if len(people) != len(frames):
        raise ValueError(f"expected people of {len(frames)} frames, found {len(people)}")
    watched = watched_time(times)
    least = fewest_sightings(min_seen, len(people))
    histories = _frame_by_frame(people, times, watched, max_absence)
    seen = [each.sightings() for each in histories if len(each) >= least]
    del histories  # what follows takes memory by itself
    pieces, followed = cut_at_changes(seen, watched)
    names = next((each.extra_names for each in people if each.extra_names), ())
    return [
        Track(
            number,
            frames[person.indices].astype(np.int32),
            person.keypoints,
            np.zeros(len(person), np.bool_),
            person.extras if names else None,
            names,
        )
        for number, person in enumerate(rejoin(pieces, watched, followed))
    ]


def _frame_by_frame(
    people: Sequence[People], times: NDArray[np.float64], watched: NDArray[np.float64], max_absence: float
) -> list[History]:
    """Assign the people of each frame to the histories so far; return all histories."""
    histories: list[History] = []
    recent: list[History] = []
    for index, (present, time) in enumerate(zip(people, times.tolist(), strict=True)):
        recent = [each for each in recent if watched[index] - watched[each.last_index] <= max_absence]
        absence = np.array([watched[index] - watched[each.last_index] for each in recent])
        looks = present.appearance
        if looks is None:
            looks = np.broadcast_to(UNKNOWN, (len(present), len(UNKNOWN)))
        extra = np.zeros((len(present), 0, 3), np.float32) if present.extra is None else present.extra
        owners = _owners(recent, absence, present, looks, time)
        for person, keypoints in enumerate(present.keypoints):
            history = owners.get(person)
            if history is None:
                history = History(extra.shape[1])
                histories.append(history)
                recent.append(history)
            history.add(index, time, keypoints, looks[person], extra[person])
    return histories


def _owners(
    histories: Sequence[History],
    absence: NDArray[np.float64],
    people: People,
    looks: NDArray[np.float32],
    time: float,
) -> dict[int, History]:
    """Return index of a detection → its history. Detections that are missing are new people."""
    if not histories or not len(people):
        return {}
    cost = _costs(histories, absence, people.keypoints, looks, time)
    confident = people.keypoints[..., 2].mean(1) >= _CONFIDENT
    owners: dict[int, History] = {}
    free = np.ones(len(histories), np.bool_)
    from scipy.optimize import linear_sum_assignment  # imported here because that takes a third of a second

    for turn in (np.flatnonzero(confident), np.flatnonzero(~confident)):
        rows = np.flatnonzero(free)
        part = cost[np.ix_(rows, turn)]
        for row, column in zip(*linear_sum_assignment(part), strict=True):
            if part[row, column] < _IMPOSSIBLE:
                owners[int(turn[column])] = histories[int(rows[row])]
                free[rows[row]] = False
    return owners


_IMPOSSIBLE = 1e3  # exceeds any sum of possible costs, so that impossible pairs are chosen last


def _costs(
    histories: Sequence[History],
    absence: NDArray[np.float64],
    keypoints: NDArray[np.float32],
    looks: NDArray[np.float32],
    time: float,
) -> NDArray[np.float64]:
    """Return (histories, people) the cost of each pair.

    absence: (histories,) seconds since the last sighting, as `watched_time` counts them.
    """
    expected = np.stack([history.expected(time) for history in histories])
    boxes, expected_boxes = keypoint_boxes(keypoints), keypoint_boxes(expected)
    scale = np.maximum(np.maximum(sizes(expected_boxes)[:, None], sizes(boxes)[None]), 1)
    weight = np.sqrt(np.clip(expected[:, None, :, 2], 1e-3, 1) * np.clip(keypoints[None, :, :, 2], 1e-3, 1))
    apart = np.linalg.norm(expected[:, None, :, :2] - keypoints[None, :, :, :2], axis=-1)
    distance = (apart * weight).sum(-1) / weight.sum(-1) / scale
    elapsed = np.array([time - history.last_time for history in histories])[:, None]
    reach = np.minimum(_REACH + _REACH_PER_SECOND * elapsed, _REACH_LIMIT)
    remembered = np.stack([history.remembered for history in histories])
    other = difference(remembered[:, None], looks[None]) / _OTHER_LOOK  # NaN where not known
    near, again = distance <= reach, absence[:, None] > _SAME_STEP
    overlap = iou(expected_boxes, boxes)
    # Of a person who stays in place alone, a sudden change of look is one of light, or of a damaged picture.
    alone = (near.sum(0) == 1) & (near.sum(1, keepdims=True) == 1) & (overlap > _SAME_PLACE) & ~again
    strange = ((other > 2) & ~alone) | ((other > 1) & again)
    possible = near & ~strange
    # People of whom it is not known are taken to look as different as half of that.
    look = _LOOK_COST * np.clip(np.where(np.isnan(other), 0.5, other), 0, 1)
    cost = distance + (1 - overlap) + absence[:, None] + look
    return np.where(possible, cost, _IMPOSSIBLE)
