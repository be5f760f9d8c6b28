"""The built-in detector, MoveNet: MultiPose finds people, Thunder follows each from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...files import file_digest
from ..crop import Crop, halve
from ..people import NUM_KEYPOINTS, Image, Memory, People
from ..tracking.similarity import oks
from .following import (
    DUPLICATE,
    POSSIBLY_SAME,
    FollowedPerson,
    as_people,
    from_arrays,
    greatest_similarity,
    match,
    person_score,
    priority,
    to_arrays,
)
from .session import open_session

THUNDER_SIZE = 256
"""The side of Thunder's input, in pixels."""

FINDER_STEP = 32
"""The sides of MultiPose's input are multiples of this, in pixels."""

_SCORE, _KEYPOINT_VALUES = 55, NUM_KEYPOINTS * 3  # of the 56 values that MultiPose gives for a person


class MoveNet:
    """Finds people with MoveNet MultiPose and follows each with MoveNet Thunder (COCO17 keypoints).

    Args:
        multipose: The JSON and the binary file of MultiPose's published TensorFlow.js graph.
        thunder: The same of Thunder.
        cache: The folder that keeps the converted graphs, or None to convert them at every start.
        max_people: The most people that are followed at once; None for no limit.
        look_interval: The frames between two runs of MultiPose while every followed person is found.
        search_interval: The frames between two runs of MultiPose while no person is found, or after a person
            was lost within the last `look_interval` frames.
        finder_size: The longer side, in pixels, to which the frame is scaled for MultiPose; a multiple of 32.
            A larger size finds smaller people. For example, a person whose height is a quarter of the longer
            side may be missed at 256 and is found at the default. One run finds at most six people.
        find_threshold: The least score at which a person found by MultiPose is passed to Thunder.
        start_threshold: The least mean of a person's nine best keypoint scores at which following starts.
        keep_threshold: The least mean of the same scores at which following continues.
        threads: The number of onnxruntime's threads; None for one on each core that this process may use.
        device: "cpu" or "cuda"; "cuda" falls back to the CPU if the installed onnxruntime has no CUDA.

    Raises:
        InputError: A file is not the graph that it should be.
        UsageError: An argument is out of its range.
    """

    name = "movenet"

    def __init__(
        self,
        *,
        multipose: tuple[Path, Path],
        thunder: tuple[Path, Path],
        cache: Path | None = None,
        max_people: int | None = None,
        look_interval: int = 20,
        search_interval: int = 3,
        finder_size: int = 512,
        find_threshold: float = 0.15,
        start_threshold: float = 0.35,
        keep_threshold: float = 0.25,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if finder_size < FINDER_STEP or finder_size % FINDER_STEP:
            raise UsageError(f"expected finder_size to be a multiple of {FINDER_STEP}, found {finder_size}")
        if min(look_interval, search_interval) < 1 or (max_people is not None and max_people < 1):
            raise UsageError(
                "expected max_people, look_interval and search_interval of at least 1, found "
                f"{max_people}, {look_interval} and {search_interval}"
            )
        self._limit = max_people
        self._look_interval = look_interval
        self._search_interval = min(search_interval, look_interval)
        self._finder_size = finder_size
        self._find_threshold = find_threshold
        self._start_threshold = start_threshold
        self._keep_threshold = keep_threshold
        # MultiPose runs rarely. If its threads polled for the next run, Thunder would be slower.
        self._finder = open_session(*multipose, cache=cache, threads=threads, device=device, spin=False)
        self._refiner = open_session(*thunder, cache=cache, threads=threads, device=device)
        self._sha256 = {path.name: file_digest(path) for path in (*multipose, *thunder)}

    def describe(self) -> dict[str, object]:
        """Return the name, the options that affect the result, the provider, and the files' sha256."""
        return {
            "name": self.name,
            "finder_size": self._finder_size,
            "look_interval": self._look_interval,
            "search_interval": self._search_interval,
            "max_people": self._limit,
            "provider": self._refiner.get_providers()[0],
            "sha256": self._sha256,
        }

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield one `People` per frame, in order. A person's score is the mean of their keypoint scores.

        The memory holds the followed people, and how many frames ago MultiPose ran and a person was lost.
        """
        followed: list[FollowedPerson] = []
        last_look = last_loss = -self._look_interval
        if memory:
            followed = from_arrays(memory)
            last_look, last_loss = (-int(frames_ago) for frames_ago in memory["frames_ago"])
        index = -1
        for index, frame in enumerate(frames):
            kept = self._follow(frame, followed)
            lost = [person for person in followed if not any(person is before for before, _ in kept)]
            followed = [after for _, after in kept]
            if lost:
                last_loss = index
            searching = not followed or index - last_loss < self._look_interval
            interval = self._search_interval if searching else self._look_interval
            if lost or index - last_look >= interval:
                last_look = index
                followed = self._look(frame, followed, lost)
            yield as_people(followed, frame.shape)
        if memory is not None:
            frames_ago = np.array([index + 1 - last_look, index + 1 - last_loss])
            memory.update(to_arrays(followed), frames_ago=frames_ago)

    def _follow(
        self, frame: Image, followed: Sequence[FollowedPerson]
    ) -> list[tuple[FollowedPerson, FollowedPerson]]:
        """Find each followed person on the next frame; return those found as (before, after)."""
        moved = []
        for before in followed:
            after = before.moved_to(self._refine(frame, before.crop), frame.shape)
            if after is not None and after.person_score >= self._keep_threshold:
                moved.append((before, after))
        # Two crops can end up on the same person. The one that moved less abruptly is kept.
        constancy = [
            oks(before.expected_keypoints[None], after.keypoints[None])[0, 0] for before, after in moved
        ]
        kept: list[int] = []
        for index in np.argsort(constancy)[::-1]:
            others = [moved[i][1].keypoints for i in kept]
            if greatest_similarity(moved[index][1].keypoints, others) < DUPLICATE:
                kept.append(int(index))
        return [moved[index] for index in sorted(kept)]

    def _look(
        self, frame: Image, followed: list[FollowedPerson], lost: Sequence[FollowedPerson]
    ) -> list[FollowedPerson]:
        """Run MultiPose: confirm the followed people, and add those who are new or were lost."""
        candidates = self._find(frame)
        matches = match([person.keypoints for person in followed], candidates)
        # A crop may stay on an object that looks like a person. MultiPose, which reads the whole frame,
        # detects that.
        followed = [
            person
            for index, person in enumerate(followed)
            if index in matches or person.person_score >= self._start_threshold
        ]
        unmatched = [each for index, each in enumerate(candidates) if index not in matches.values()]
        for candidate in sorted(unmatched, key=lambda each: priority(each, lost), reverse=True):
            if self._limit is not None and len(followed) >= self._limit:
                break
            person = self._start(frame, candidate, [other.keypoints for other in followed])
            if person is not None:
                followed.append(person)
        return followed

    def _start(
        self, frame: Image, candidate: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
    ) -> FollowedPerson | None:
        """Start to follow a person that MultiPose found, if Thunder's keypoints score high enough.

        Thunder runs twice. The keypoints of the first run give a better crop for the second run.
        """
        nearest = greatest_similarity(candidate, others)
        if nearest >= DUPLICATE:
            return None
        person: FollowedPerson | None = FollowedPerson.start(candidate, frame.shape)
        for _ in range(2):
            if person is None:
                return None
            keypoints = self._refine(frame, person.crop)
            if greatest_similarity(keypoints, others) >= DUPLICATE:
                # Two people overlap. Thunder finds one person per crop, here the one in front. If MultiPose
                # clearly distinguishes them, its less exact keypoints are used until the two people separate.
                clear = nearest < POSSIBLY_SAME and person_score(candidate) >= self._start_threshold
                return FollowedPerson.start(candidate, frame.shape) if clear else None
            if person_score(keypoints) < self._start_threshold:
                return None
            person = FollowedPerson.start(keypoints, frame.shape)
        return person

    def _refine(self, frame: Image, crop: Crop) -> NDArray[np.float32]:
        """Run Thunder on one crop; return (17, 3) keypoints in pixels of the frame."""
        pixels = crop.cut(frame, THUNDER_SIZE).astype(np.int32)
        (output,) = self._refiner.run(None, {"input": pixels[None]})
        found = output[0, 0]  # y and x as fractions of the crop, and the score
        return np.concatenate([crop.to_frame(found[:, [1, 0]]), np.clip(found[:, 2:], 0, 1)], 1)

    def _find(self, frame: Image) -> NDArray[np.float32]:
        """Run MultiPose on the whole frame; return (P, 17, 3) keypoints in pixels of the frame, P ≤ 6."""
        height, width = frame.shape[:2]
        small = frame
        while max(small.shape[:2]) >= 2 * self._finder_size and min(small.shape[:2]) > 1:
            small = halve(small)
        scale = self._finder_size / max(height, width)
        shape = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.asarray(cv2.resize(small, shape), np.uint8)
        rows, columns = (-(-side // FINDER_STEP) * FINDER_STEP for side in small.shape[:2])
        pixels = np.zeros((1, rows, columns, 3), np.int32)
        pixels[0, : small.shape[0], : small.shape[1]] = small
        (output,) = self._finder.run(None, {"input": pixels})
        found = output[0][output[0, :, _SCORE] >= self._find_threshold]
        points = found[:, :_KEYPOINT_VALUES].reshape(-1, NUM_KEYPOINTS, 3)  # y, x, score
        keypoints = points[..., [1, 0, 2]]
        keypoints[..., 0] *= columns * width / small.shape[1]
        keypoints[..., 1] *= rows * height / small.shape[0]
        return np.asarray(keypoints, np.float32)
