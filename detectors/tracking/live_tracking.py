"""Follow people frame by frame, without the frames that follow: for a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..people import NUM_KEYPOINTS, People
from .similarity import iou, keypoint_boxes, sizes

_REACH, _REACH_PER_SECOND = 0.6, 4.0  # mean distance of keypoints, in sizes: at most, and more a second
_HELD_SCORE = 0.5  # a person's scores while they are not detected, relative to the last ones


@dataclass(frozen=True)
class LivePeople:
    """The people of one frame, each at a place of their own.

    Attributes:
        ids: (P,) the number of the person at each place; −1 where there is none.
        keypoints: (P, 17, 3) COCO17 x, y in pixels and score; those of the frame before for a person who was
            not detected, 0 where there is none.
        begins: (P,) the person is new at this place.
        seen: (P,) the person was detected in this frame.
    """

    ids: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    begins: NDArray[np.bool_]
    seen: NDArray[np.bool_]


class LiveTracker:
    """Assigns the detections of each frame to people.

    A person keeps their number and place as long as they are seen again within `max_gap`. The largest people
    come first when places are free.

    Args:
        people: Number of places.
        max_gap: Seconds after which a person who is not seen gives up the place.
    """

    def __init__(self, people: int, *, max_gap: float = 0.5) -> None:
        self._max_gap = max_gap
        self._ids = np.full(people, -1, np.int32)
        self._keypoints = np.zeros((people, NUM_KEYPOINTS, 3), np.float32)
        self._last_seen = np.zeros(people)
        self._next = 0

    def step(self, people: People, time: float) -> LivePeople:
        """Return the people of the next frame, whose time is `time` seconds."""
        self._ids[time - self._last_seen > self._max_gap] = -1
        begins, seen = np.zeros(len(self._ids), np.bool_), np.zeros(len(self._ids), np.bool_)
        matched = self._match(people.keypoints, time)
        for place, detection in matched.items():
            self._see(place, people.keypoints[detection], time)
            seen[place] = True
        rest = [i for i in range(len(people)) if i not in matched.values()]
        rest.sort(key=lambda i: -float(sizes(people.boxes[i]) * people.scores[i]))
        free = np.flatnonzero(self._ids < 0)
        for place, detection in zip(free.tolist(), rest, strict=False):
            self._ids[place], self._next = self._next, self._next + 1
            self._see(place, people.keypoints[detection], time)
            begins[place] = seen[place] = True
        keypoints = self._keypoints.copy()
        keypoints[self._ids < 0] = 0
        keypoints[~seen, :, 2] *= _HELD_SCORE
        return LivePeople(self._ids.copy(), keypoints, begins, seen)

    def _see(self, place: int, keypoints: NDArray[np.float32], time: float) -> None:
        self._keypoints[place], self._last_seen[place] = keypoints, time

    def _match(self, keypoints: NDArray[np.float32], time: float) -> dict[int, int]:
        """Return place → index of the detection, the nearest pairs first."""
        places = np.flatnonzero(self._ids >= 0)
        if not len(places) or not len(keypoints):
            return {}
        before = self._keypoints[places]
        boxes, old_boxes = keypoint_boxes(keypoints), keypoint_boxes(before)
        scale = np.maximum(np.maximum(sizes(old_boxes)[:, None], sizes(boxes)[None]), 1)
        weight = np.sqrt(np.clip(before[:, None, :, 2], 1e-3, 1) * np.clip(keypoints[None, :, :, 2], 1e-3, 1))
        apart = np.linalg.norm(before[:, None, :, :2] - keypoints[None, :, :, :2], axis=-1)
        distance = (apart * weight).sum(-1) / weight.sum(-1) / scale
        reach = _REACH + _REACH_PER_SECOND * (time - self._last_seen[places])[:, None]
        cost = np.where(distance <= reach, distance + 1 - iou(old_boxes, boxes), np.inf)
        matched: dict[int, int] = {}
        for flat in np.argsort(cost, axis=None):
            row, detection = divmod(int(flat), len(keypoints))
            place = int(places[row])
            if (
                np.isfinite(cost[row, detection])
                and place not in matched
                and detection not in matched.values()
            ):
                matched[place] = detection
        return matched
