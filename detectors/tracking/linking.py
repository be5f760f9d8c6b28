"""Link the detections of successive frames to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..people import People
from .similarity import iou, keypoint_boxes, sizes
from .track import MIN_SIGHTINGS, Track, check_clock, fewest_sightings, watched_time

# The largest mean distance of keypoints from their expected positions, in units of the person's size (see
# `similarity.sizes`; 1 is about 0.7 m for an adult): right after a detection, the increase for each second
# since the last detection, and the upper bound.
_REACH, _REACH_PER_SECOND, _REACH_LIMIT = 0.6, 4.0, 4.0
_RECENT = 0.15  # seconds over which a velocity is measured
_PERSISTENCE = 0.3  # seconds for which a person is expected to keep that velocity


def link(
    people: Sequence[People],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_absence: float = 2.0,
    min_seen: int = MIN_SIGHTINGS,
) -> list[Track]:
    """Link the detections of successive frames to tracks.

    A person is expected where they were last seen, moved on at their recent velocity. The assignment
    (Hungarian algorithm) minimises the sum of three terms: the mean distance of keypoints from where they are
    expected, weighted by scores, in units of the person's size; 1 minus the overlap of the boxes; and the
    seconds since the last sighting, as `watched_time` counts them.

    Args:
        people: The people on each frame.
        frames: (n,) frame numbers, rising.
        times: (n,) their times in seconds, rising.
        max_absence: Seconds as `watched_time` counts them. A person who returns after a longer absence is a
            new person.
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
    histories: list[_History] = []
    watched = watched_time(times)
    for index, (present, time) in enumerate(zip(people, times, strict=True)):
        absences = [watched[index] - watched[history.indices[-1]] for history in histories]
        recent = [number for number, absence in enumerate(absences) if absence <= max_absence]
        candidates = [histories[number] for number in recent]
        absence = np.array([absences[number] for number in recent])
        matched = _assign(candidates, absence, present.keypoints, float(time))
        for person, keypoints in enumerate(present.keypoints):
            if person in matched:
                history = candidates[matched[person]]
            else:
                history = _History([], [], [])
                histories.append(history)
            history.indices.append(index)
            history.times.append(float(time))
            history.keypoints.append(keypoints)
    least = fewest_sightings(min_seen, len(people))
    return [
        Track(
            number,
            frames[history.indices].astype(np.int32),
            np.stack(history.keypoints).astype(np.float32),
            np.zeros(len(history.indices), np.bool_),
        )
        for number, history in enumerate(h for h in histories if len(h.indices) >= least)
    ]


@dataclass(frozen=True)
class _History:
    """The sightings of one person so far.

    Attributes:
        indices: Indices into the clip's frames.
        times: Seconds.
        keypoints: (17, 3) each.
    """

    indices: list[int]
    times: list[float]
    keypoints: list[NDArray[np.float32]]

    def expected(self, time: float) -> NDArray[np.float32]:
        """Return the (17, 3) keypoints expected at `time`: the last ones moved at the recent velocity."""
        expected = self.keypoints[-1].copy()
        before = len(self.times) - 2
        while before > 0 and self.times[-1] - self.times[before] < _RECENT:
            before -= 1
        elapsed = self.times[-1] - self.times[before] if before >= 0 else 0.0
        if elapsed > 0:
            # The median over all keypoints gives the motion of the body, although limbs swing and single
            # keypoints jump.
            moved = np.median(self.keypoints[-1][:, :2] - self.keypoints[before][:, :2], axis=0)
            expected[:, :2] += moved / elapsed * min(time - self.times[-1], _PERSISTENCE)
        return expected


def _assign(
    histories: Sequence[_History],
    absence: NDArray[np.float64],
    keypoints: NDArray[np.float32],
    time: float,
) -> dict[int, int]:
    """Return index of a detection → index of its history. Detections that are missing are new people.

    absence: (histories,) seconds since the last sighting, as `watched_time` counts them.
    """
    if not histories or not len(keypoints):
        return {}
    expected = np.stack([history.expected(time) for history in histories])
    boxes, expected_boxes = keypoint_boxes(keypoints), keypoint_boxes(expected)
    scale = np.maximum(np.maximum(sizes(expected_boxes)[:, None], sizes(boxes)[None]), 1)
    weight = np.sqrt(np.clip(expected[:, None, :, 2], 1e-3, 1) * np.clip(keypoints[None, :, :, 2], 1e-3, 1))
    apart = np.linalg.norm(expected[:, None, :, :2] - keypoints[None, :, :, :2], axis=-1)
    distance = (apart * weight).sum(-1) / weight.sum(-1) / scale
    elapsed = np.array([time - history.times[-1] for history in histories])[:, None]
    reach = np.minimum(_REACH + _REACH_PER_SECOND * elapsed, _REACH_LIMIT)
    impossible = 1e3  # exceeds any sum of possible costs, so that impossible pairs are chosen last
    cost = np.where(
        distance <= reach, distance + (1 - iou(expected_boxes, boxes)) + absence[:, None], impossible
    )  # fmt: skip
    from scipy.optimize import linear_sum_assignment  # imported here because that takes a third of a second

    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return {int(person): int(history) for history, person in pairs if cost[history, person] < impossible}
