"""Show the frames of a video to what finds people and to what follows the background, in parts."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Image
from ..progress import Progress
from ..video.read_ahead import read_ahead
from ..video.reader import Frame, Video
from .kept_parts import PART_FRAMES, Arrays, PartStore
from .options import DetectOptions
from .people_source import DetectedPeople, PeopleSource
from .watch_background import NO_BOXES, BackgroundWatch


@dataclass
class Look:
    """Passes the frames of a video to people and background, in parts.

    Attributes:
        video: The video.
        people: Finds the people.
        background: Follows the background; None if the camera is taken to be still.
        numbers: The numbers of the frames so far.
        boxes: The boxes of the people on the last frame.
    """

    video: Video
    people: PeopleSource
    background: BackgroundWatch | None
    numbers: array[int] = field(default_factory=lambda: array("i"))
    boxes: NDArray[np.float32] = field(default_factory=NO_BOXES.copy)

    def resume(self, people: DetectedPeople, kept: PartStore) -> None:
        """Go on after the parts that an earlier run has left."""
        parts = [_groups(part) for part in kept.parts]
        if not parts:
            return
        memory = _groups(kept.memory)
        for part in parts:
            self.numbers.extend(part["frames"]["numbers"].tolist())
        self.boxes = people.resume([part["people"] for part in parts], memory["people"])
        if self.background is not None:
            self.background.resume([part["background"] for part in parts], memory["background"])

    def all_frames(self, options: DetectOptions, kept: PartStore | None, progress: Progress) -> None:
        """Look at all frames that are left."""
        first = self.numbers[-1] + 1 if self.numbers else 0
        frames = read_ahead(self.video.frames(start=options.start, end=options.end, first=first))
        expected = _expected_frames(self.video, options)
        with (
            closing(frames),
            progress(f"{self.people.action} {self.video.path.name}", expected) as advance,
            ThreadPoolExecutor(1, "background") as beside,
        ):
            advance(len(self.numbers))
            before = -1
            while before != len(self.numbers):
                before = len(self.numbers)
                for on_frame in self.people.look(self._images(islice(frames, PART_FRAMES), beside)):
                    self.boxes = on_frame
                    advance()
                if len(self.numbers) > before:
                    self._finish_part(before, kept)

    def _images(self, frames: Iterator[Frame], beside: ThreadPoolExecutor) -> Iterator[Image]:
        """Yield the images; show each to the background in a thread, while people are found on it."""
        seen: Future[None] | None = None
        for frame in frames:
            if seen is not None:
                seen.result()
            self.numbers.append(frame.index)
            if self.background is not None:
                # A detector may read ahead, so the boxes may be those of an earlier frame.
                seen = beside.submit(self.background.see, frame.index, frame.image, self.boxes)
            yield frame.image
        if seen is not None:
            seen.result()

    def _finish_part(self, begin: int, kept: PartStore | None) -> None:
        """Finish the part of the frames from the `begin`th on; keep it, and what the next part needs."""
        if not isinstance(self.people, DetectedPeople):
            return
        found = self.people.finish_part()
        if kept is None:
            return
        part: dict[str, Arrays] = {"frames": {"numbers": np.array(self.numbers[begin:])}, "people": found}
        memory: dict[str, Arrays] = {"people": self.people.memory()}
        if self.background is not None:
            part["background"] = self.background.new_measurements()
            memory["background"] = self.background.memory()
        kept.add(_flat(part), _flat(memory))


def _flat(groups: Mapping[str, Arrays]) -> Arrays:
    """Return arrays of several groups under the names GROUP.NAME."""
    return {f"{group}.{name}": array for group, arrays in groups.items() for name, array in arrays.items()}


def _groups(flat: Arrays) -> dict[str, Arrays]:
    """Return the groups of which `_flat` made one."""
    groups: dict[str, Arrays] = defaultdict(dict)
    for name, values in flat.items():
        group, _, own = name.partition(".")
        groups[group][own] = values
    return groups


def _expected_frames(video: Video, options: DetectOptions) -> int | None:
    if video.frame_count is None:
        return None
    last = video.frame_count if options.end is None else min(video.frame_count, options.end * video.rate)
    return max(0, round(last - options.start * video.rate)) or None
