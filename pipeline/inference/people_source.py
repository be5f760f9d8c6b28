"""The people of one video: found by a detector, part by part, and followed at the end."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Detector, Image, Memory, People
from ...detectors.tracking import Track, follow_people, with_appearance

Arrays = dict[str, NDArray[Any]]
"""Plain arrays by name."""


class PeopleSource(Protocol):
    """The source of the people of one video: a detector, or keypoints that another program made.

    Attributes:
        action: The description shown with the progress.
    """

    action: str

    def look(self, images: Iterable[Image]) -> Iterator[NDArray[np.float32]]:
        """Yield the boxes of the people, (P, 4), for each image, in order; call it for one part at a time."""

    def tracks(self, frames: NDArray[np.int32], times: NDArray[np.float64], *, max_gap: float) -> list[Track]:
        """Return the people of all images through time; `frames` and `times` are those of the images."""

    def describe(self) -> dict[str, object]:
        """Return what the pose table records about it."""


class DetectedPeople:
    """Gives the people of one video with a detector.

    Args:
        detector: The detector.
    """

    action = "finding people in"

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._finished: list[Arrays] = []  # of each part: a third of the memory that `People` take
        self._people: list[People] = []  # of the part that is not finished
        self._memory: Memory = {}

    def look(self, images: Iterable[Image]) -> Iterator[NDArray[np.float32]]:
        """Yield the boxes of the people for each image of a part."""
        waiting: deque[Image] = deque()  # those that the detector has read, and not yet answered

        def read() -> Iterator[Image]:
            for image in images:
                waiting.append(image)
                yield image

        for people in self._detector.detect(read(), self._memory):
            self._people.append(with_appearance(people, waiting.popleft()))
            yield people.boxes

    def finish_part(self) -> Arrays:
        """Return the people found since the last call, as plain arrays."""
        part = to_arrays(self._people)
        self._finished.append(part)
        self._people = []
        return part

    def memory(self) -> Memory:
        """Return what the detector needs for the next part."""
        return dict(self._memory)

    def resume(self, parts: Sequence[Arrays], memory: Memory) -> NDArray[np.float32]:
        """Go on after the parts that `finish_part` returned; return the boxes on their last frame."""
        self._finished += parts
        self._memory = dict(memory)
        return from_arrays(parts[-1])[-1].boxes

    def tracks(self, frames: NDArray[np.int32], times: NDArray[np.float64], *, max_gap: float) -> list[Track]:
        """Follow the people of all images and return their tracks."""
        return follow_people(PeopleOfParts(self._finished), frames=frames, times=times, max_gap=max_gap)

    def describe(self) -> dict[str, object]:
        """Return the detector's description."""
        return self._detector.describe()


class PeopleOfParts(Sequence[People]):
    """The people of all frames of several parts, made of plain arrays while they are read.

    Args:
        parts: What `to_arrays` gave for each part.
    """

    def __init__(self, parts: Sequence[Arrays]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part["counts"]) for part in parts]).tolist()

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[People]:
        """Yield the people of each frame."""
        for part in self._parts:
            yield from from_arrays(part)

    @overload
    def __getitem__(self, index: int) -> People: ...

    @overload
    def __getitem__(self, index: slice) -> list[People]: ...

    def __getitem__(self, index: int | slice) -> People | list[People]:
        """Return the people of a frame, or of several."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        number = range(len(self))[index]  # raises IndexError
        part = bisect_right(self._ends, number)
        return from_arrays(self._parts[part])[number - self._ends[part]]  # counted from the part's end


def to_arrays(people: Sequence[People]) -> Arrays:
    """Return the people of several frames as plain arrays; `from_arrays` makes them again, bit for bit."""
    empty = People.none()
    arrays = {
        "counts": np.array([len(each) for each in people], np.int64),
        "boxes": np.concatenate([empty.boxes, *(each.boxes for each in people)]),
        "scores": np.concatenate([empty.scores, *(each.scores for each in people)]),
        "keypoints": np.concatenate([empty.keypoints, *(each.keypoints for each in people)]),
    }
    for name in ("appearance", "extra"):
        values = [getattr(each, name) for each in people]
        arrays[f"has_{name}"] = np.array([value is not None for value in values], np.bool_)
        present = [value for value in values if value is not None]
        arrays[name] = np.concatenate(present) if present else np.zeros(0, np.float32)
    names = next((each.extra_names for each in people if each.extra_names), ())
    arrays["extra_names"] = np.array(names, np.str_)
    return arrays


def from_arrays(arrays: Arrays) -> list[People]:
    """Return the people of several frames that `to_arrays` turned into arrays."""
    names = tuple(str(name) for name in arrays["extra_names"])
    at = dict.fromkeys(("boxes", "appearance", "extra"), 0)
    people: list[People] = []

    def take(name: str, count: int, where: str) -> NDArray[np.float32]:
        begin = at[where]
        return np.asarray(arrays[name][begin : begin + count], np.float32)

    for frame, count in enumerate(arrays["counts"].tolist()):
        boxes, scores, keypoints = (take(name, count, "boxes") for name in ("boxes", "scores", "keypoints"))
        at["boxes"] += count
        found = People(boxes, scores, keypoints)
        if arrays["has_appearance"][frame]:
            found = replace(found, appearance=take("appearance", count, "appearance"))
            at["appearance"] += count
        if arrays["has_extra"][frame]:
            found = replace(found, extra=take("extra", count, "extra"), extra_names=names)
            at["extra"] += count
        people.append(found)
    return people
