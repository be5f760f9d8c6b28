"""Follow a person from one frame to the next: the crop to read, the matching of people, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from ..crop import Crop
from ..people import NUM_KEYPOINTS, Memory, People
from ..tracking.similarity import keypoint_boxes, oks

DUPLICATE = 0.6
"""The object keypoint similarity (OKS) from which two crops show the same person."""

POSSIBLY_SAME = 0.45
"""The OKS from which two people found by MultiPose may be the same person."""

_MATCH = 0.3  # least OKS of a followed person and the same person as found by MultiPose, which is less exact
_SCORED_KEYPOINTS = 9  # keypoints that count for the score of a person, of whom a part may be out of frame
_MARGIN = 1.25  # a crop's side divided by the longer side of the box around the keypoints
_SHRINK = 0.85  # a crop's least side divided by that of the frame before
_TORSOS = 2.6  # a crop's least side divided by the length of the torso, to find hidden legs again
_EDGE = 0.03  # of the frame's longer side: a person so near the edge reaches it
_SHOULDERS = [COCO17.index("lshoulder"), COCO17.index("rshoulder")]
_HIPS = [COCO17.index("lhip"), COCO17.index("rhip")]
_MIRRORED = list(COCO17.mirror)


@dataclass(frozen=True)
class FollowedPerson:
    """A person on one frame, and where to look for them on the next.

    Attributes:
        keypoints: (17, 3) COCO17 x, y in pixels of the frame and score 0–1.
        centre: (2,) The centre of the box around the keypoints, in pixels.
        motion: (2,) The smoothed motion of the centre, in pixels a frame.
        crop: The square to look at on the next frame.
    """

    keypoints: NDArray[np.float32]
    centre: NDArray[np.float32]
    motion: NDArray[np.float32]
    crop: Crop

    @classmethod
    def start(cls, keypoints: NDArray[np.float32], shape: tuple[int, ...]) -> FollowedPerson | None:
        """Start to follow a person at rest; None if they are wholly outside a frame of this `shape`."""
        return cls._located(keypoints, np.zeros(2, np.float32), 0, shape)

    def moved_to(self, keypoints: NDArray[np.float32], shape: tuple[int, ...]) -> FollowedPerson | None:
        """Return the person one frame later.

        None if the keypoints jumped too far to belong to the same person, or are wholly outside the frame.
        """
        motion = centre(keypoint_boxes(keypoints)) - self.centre
        if np.abs(motion - self.motion).max() > self.crop.side / 2:
            return None
        smoothed = np.asarray(0.5 * (self.motion + motion), np.float32)
        return self._located(keypoints, smoothed, self.crop.side, shape)

    @classmethod
    def _located(
        cls, keypoints: NDArray[np.float32], motion: NDArray[np.float32], side: float, shape: tuple[int, ...]
    ) -> FollowedPerson | None:
        """`side`: of the crop on the frame before, 0 if there was none."""
        height, width = shape[:2]
        box = keypoint_boxes(keypoints)
        if not (box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0):
            return None
        middle = centre(box)
        torso = keypoints[_SHOULDERS, :2].mean(0) - keypoints[_HIPS, :2].mean(0)
        extent = max(
            _MARGIN * float((box[2:] - box[:2]).max()), _TORSOS * float(np.hypot(*torso)), _SHRINK * side
        )
        motion = np.asarray(np.clip(motion, -extent / 4, extent / 4), np.float32)
        extent = min(max(extent + float(np.abs(motion).max()), 16), 1.5 * max(height, width))
        aim = middle + motion
        return cls(keypoints, middle, motion, Crop(float(aim[0]), float(aim[1]), extent))

    @property
    def person_score(self) -> float:
        """The score of the person, 0–1; see the function `person_score`."""
        return person_score(self.keypoints)

    @property
    def expected_keypoints(self) -> NDArray[np.float32]:
        """(17, 3) The keypoints where they should be on the next frame."""
        expected = self.keypoints.copy()
        expected[:, :2] += self.motion
        return expected


def centre(box: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the centre (2,) of a box x0, y0, x1, y1."""
    return np.asarray((box[:2] + box[2:]) / 2, np.float32)


def person_score(keypoints: NDArray[np.float32]) -> float:
    """Return the score of a person with (17, 3) keypoints: the mean of the nine highest keypoint scores."""
    return float(np.sort(keypoints[:, 2])[-_SCORED_KEYPOINTS:].mean())


def greatest_similarity(keypoints: NDArray[np.float32], others: Sequence[NDArray[np.float32]]) -> float:
    """Return the greatest OKS of (17, 3) `keypoints` with any of `others`.

    Left and right may be swapped, because detectors confuse them on people who turn. The result is 0 if there
    are no others.
    """
    if not others:
        return 0.0
    both = np.stack([keypoints, keypoints[_MIRRORED]])
    return float(oks(both, np.stack(others)).max())


def reaches_edge(keypoints: NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    """Return whether a person reaches an edge of a frame of this `shape`, so that a part may lie outside."""
    height, width = shape[:2]
    x0, y0, x1, y1 = keypoint_boxes(keypoints)
    near = _EDGE * max(height, width)
    return bool(x0 < near or y0 < near or x1 > width - near or y1 > height - near)


def match(people: Sequence[NDArray[np.float32]], found: NDArray[np.float32]) -> dict[int, int]:
    """Match followed people with the people that MultiPose found.

    Args:
        people: The (17, 3) keypoints of each followed person.
        found: (P, 17, 3) keypoints.

    Returns:
        Index into `people` → index into `found`, one to one, for those that are similar enough.
    """
    if not people or not len(found):
        return {}
    from scipy.optimize import linear_sum_assignment  # imported here because that takes a third of a second

    alike = np.maximum(oks(np.stack(people), found), oks(np.stack(people)[:, _MIRRORED], found))
    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(person): int(other) for person, other in pairs if alike[person, other] > _MATCH}


def priority(candidate: NDArray[np.float32], lost: Sequence[FollowedPerson]) -> tuple[bool, float]:
    """Return a sorting key for people found by MultiPose; the highest is followed first.

    People who were just lost come first. The others are sorted by size times score. The order matters if
    fewer people may be followed than were found.
    """
    box = keypoint_boxes(candidate)
    middle = centre(box)
    returning = any(
        float(np.abs(person.centre + person.motion - middle).max()) < person.crop.side / 2 for person in lost
    )
    return returning, float((box[2:] - box[:2]).max()) * person_score(candidate)


def as_people(followed: Sequence[FollowedPerson], shape: tuple[int, ...]) -> People:
    """Return the followed people as `People`, with boxes inside a frame of this `shape`."""
    if not followed:
        return People.none()
    height, width = shape[:2]
    keypoints = np.stack([person.keypoints for person in followed])
    boxes = keypoint_boxes(keypoints)
    # The body extends beyond the outermost keypoints, which are eyes and ankles.
    margin = 0.1 * (boxes[:, 2:] - boxes[:, :2]).max(-1, keepdims=True)
    boxes = boxes + margin * np.array([-1, -1, 1, 1], np.float32)
    boxes = np.clip(boxes, 0, np.array([width, height] * 2, np.float32)).astype(np.float32)
    return People(boxes, cast("NDArray[np.float32]", keypoints[..., 2].mean(1)), keypoints)


def to_arrays(followed: Sequence[FollowedPerson]) -> Memory:
    """Return the followed people as plain arrays, from which `from_arrays` makes them again, bit for bit."""
    count = len(followed)
    crops = [(person.crop.x, person.crop.y, person.crop.side) for person in followed]
    return {
        "keypoints": np.array([p.keypoints for p in followed], np.float32).reshape(count, NUM_KEYPOINTS, 3),
        "centre": np.array([person.centre for person in followed], np.float32).reshape(count, 2),
        "motion": np.array([person.motion for person in followed], np.float32).reshape(count, 2),
        "crop": np.array(crops, np.float64).reshape(count, 3),
    }


def from_arrays(arrays: Memory) -> list[FollowedPerson]:
    """Return the followed people that `to_arrays` turned into arrays."""
    people = zip(arrays["keypoints"], arrays["centre"], arrays["motion"], arrays["crop"], strict=True)
    return [
        FollowedPerson(keypoints, centre, motion, Crop(*crop.tolist()))
        for keypoints, centre, motion, crop in people
    ]
