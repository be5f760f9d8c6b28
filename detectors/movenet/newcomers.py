"""Decide whether what a glance found is a person who is not followed yet, and start to follow them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..crop import Crop
from ..people import Image
from ..tracking.similarity import keypoint_boxes, oks
from .following import DUPLICATE, POSSIBLY_SAME, FollowedPerson, greatest_similarity, person_score
from .refiner import Refiner

_AGREEMENT = {"tile": 0.5, "near": 0.3}  # least OKS of Thunder's two runs on a person whom a glance found
_NEAR_THRESHOLD = 0.85  # the least score of a person who fills the frame, relative to that of others
_CLOSE_UP_SIZE = 0.4  # least extent of a close-up's person, as a share of the frame's shorter side


Origin = Literal["whole", "tile", "near"]
"""Which glance found a person: at the whole frame, at a tile, or one for people who fill the frame."""


class Newcomers:
    """Starts to follow people.

    Args:
        refiner: Finds the keypoints of each.
        threshold: The least mean of a person's nine best keypoint scores at which following starts.
    """

    def __init__(self, refiner: Refiner, threshold: float) -> None:
        self._refiner = refiner
        self._threshold = threshold

    def close_up(self, frame: Image, square: Crop) -> NDArray[np.float32]:
        """Look for one person who fills the frame; return (P, 17, 3) keypoints, P at most 1."""
        keypoints = self._refiner.find(frame, square)
        box = keypoint_boxes(keypoints)
        large = float((box[2:] - box[:2]).max()) >= _CLOSE_UP_SIZE * min(frame.shape[:2])
        likely = large and person_score(keypoints) >= self._threshold / 2
        return keypoints[None] if likely else keypoints[None][:0]

    def start(
        self,
        frame: Image,
        candidate: NDArray[np.float32],
        others: Sequence[NDArray[np.float32]],
        *,
        found_by: Origin,
    ) -> FollowedPerson | None:
        """Start to follow a person if Thunder's keypoints score high enough.

        Thunder runs twice. The keypoints of the first run give a better crop for the second run.

        Args:
            frame: The frame.
            candidate: (17, 3) keypoints as a glance found them.
            others: The keypoints of the people who are followed.
            found_by: The kind of the glance. If it was not at the whole frame, both runs of Thunder have to
                agree. A person who fills the frame lies partly outside of it, so the scores are lower.
        """
        threshold = self._threshold * (_NEAR_THRESHOLD if found_by == "near" else 1)
        nearest = greatest_similarity(candidate, others)
        if nearest >= DUPLICATE:
            return None
        person: FollowedPerson | None = FollowedPerson.start(candidate, frame.shape)
        before: NDArray[np.float32] | None = None
        for _ in range(2):
            if person is None:
                return None
            keypoints = self._refiner.find(frame, person.crop)
            if greatest_similarity(keypoints, others) >= DUPLICATE:
                # Two people overlap. Thunder finds one person per crop, here the one in front. If MultiPose
                # clearly distinguishes them, its less exact keypoints are used until the two people separate.
                clear = nearest < POSSIBLY_SAME and person_score(candidate) >= self._threshold
                return FollowedPerson.start(candidate, frame.shape) if clear and found_by == "whole" else None
            if person_score(keypoints) < threshold:
                return None
            if before is not None and found_by != "whole":
                agreement = float(oks(before[None], keypoints[None])[0, 0])
                if agreement < _AGREEMENT[found_by]:
                    return None
            before = keypoints
            person = FollowedPerson.start(keypoints, frame.shape)
        return person
