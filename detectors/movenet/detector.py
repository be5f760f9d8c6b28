"""The built-in detector, MoveNet: MultiPose finds people, Thunder follows each from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...files import file_digest
from ..crop import Crop
from ..people import Image, Memory, People
from ..tracking.similarity import oks
from .finder import STEP, Finder
from .following import (
    DUPLICATE,
    FollowedPerson,
    as_people,
    from_arrays,
    greatest_similarity,
    match,
    priority,
    reaches_edge,
    to_arrays,
)
from .glances import Glance, further_glances, whole_frame
from .newcomers import Newcomers, Origin
from .refiner import Refiner
from .schedule import Look, Schedule


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
        if finder_size < STEP or finder_size % STEP:
            raise UsageError(f"expected finder_size to be a multiple of {STEP}, found {finder_size}")
        if min(look_interval, search_interval) < 1 or (max_people is not None and max_people < 1):
            raise UsageError(
                "expected max_people, look_interval and search_interval of at least 1, found "
                f"{max_people}, {look_interval} and {search_interval}"
            )
        self._limit = max_people
        self._look_interval = look_interval
        self._search_interval = min(search_interval, look_interval)
        self._finder_size = finder_size
        self._start_threshold = start_threshold
        self._keep_threshold = keep_threshold
        self._finder = Finder(
            multipose, threshold=find_threshold, cache=cache, threads=threads, device=device
        )
        self._refiner = Refiner(thunder, cache=cache, threads=threads, device=device)
        self._newcomers = Newcomers(self._refiner, start_threshold)
        self._sha256 = {path.name: file_digest(path) for path in (*multipose, *thunder)}

    def describe(self) -> dict[str, object]:
        """Return the name, the options that affect the result, the provider, and the files' sha256."""
        return {
            "name": self.name,
            "finder_size": self._finder_size,
            "look_interval": self._look_interval,
            "search_interval": self._search_interval,
            "max_people": self._limit,
            "provider": self._refiner.provider,
            "sha256": self._sha256,
        }

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield one `People` per frame, in order. A person's score is the mean of their keypoint scores.

        The memory holds the followed people and the state of the schedule.
        """
        schedule = Schedule(self._look_interval, self._search_interval)
        followed: list[FollowedPerson] = []
        if memory:
            followed = from_arrays(memory)
            schedule.resume(memory["schedule"])
        for frame in frames:
            kept = self._follow(frame, followed)
            lost = [person for person in followed if not any(person is before for before, _ in kept)]
            followed = [after for _, after in kept]
            look = schedule.next(followed=len(followed), lost=len(lost), full=self._is_full(followed))
            if look is not Look.NONE:
                followed = self._look(frame, followed, lost)
            if look in (Look.ONE_MORE, Look.ALL):
                height, width = frame.shape[:2]
                near = all(reaches_edge(person.keypoints, frame.shape) for person in followed)
                glances = further_glances(height, width, self._finder_size, near=near)
                for glance in glances if look is Look.ALL else schedule.in_turn(glances):
                    if not self._is_full(followed):
                        followed = self._add(frame, followed, lost, *self._glance(frame, glance))
            yield as_people(followed, frame.shape)
        if memory is not None:
            memory.update(to_arrays(followed), schedule=schedule.state())

    def _follow(
        self, frame: Image, followed: Sequence[FollowedPerson]
    ) -> list[tuple[FollowedPerson, FollowedPerson]]:
        """Find each followed person on the next frame; return those found as (before, after)."""
        moved = []
        for before in followed:
            after = before.moved_to(self._refiner.find(frame, before.crop), frame.shape)
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
        height, width = frame.shape[:2]
        candidates = self._finder.find(frame, whole_frame(height, width, self._finder_size))
        matches = match([person.keypoints for person in followed], candidates)
        # A crop may stay on an object that looks like a person. MultiPose, which reads the whole frame,
        # detects that.
        followed = [
            person
            for index, person in enumerate(followed)
            if index in matches or person.person_score >= self._start_threshold
        ]
        unmatched = [each for index, each in enumerate(candidates) if index not in matches.values()]
        return self._add(frame, followed, lost, unmatched, "whole")

    def _glance(self, frame: Image, glance: Glance | Crop) -> tuple[NDArray[np.float32], Origin]:
        """Return the (P, 17, 3) keypoints of the people whom a further glance finds, and its kind."""
        if isinstance(glance, Crop):
            return self._newcomers.close_up(frame, glance), "near"
        return self._finder.find(frame, glance), "tile" if glance.kind == "tile" else "near"

    def _add(
        self,
        frame: Image,
        followed: Sequence[FollowedPerson],
        lost: Sequence[FollowedPerson],
        candidates: Iterable[NDArray[np.float32]],
        found_by: Origin,
    ) -> list[FollowedPerson]:
        """Add those candidates who are people and not followed yet, the foremost first."""
        followed = list(followed)
        for candidate in sorted(candidates, key=lambda each: priority(each, lost), reverse=True):
            if self._is_full(followed):
                break
            others = [other.keypoints for other in followed]
            person = self._newcomers.start(frame, candidate, others, found_by=found_by)
            if person is not None:
                followed.append(person)
        return followed

    def _is_full(self, followed: Sequence[FollowedPerson]) -> bool:
        return self._limit is not None and len(followed) >= self._limit
