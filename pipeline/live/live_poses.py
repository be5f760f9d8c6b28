"""Turn the frames of a camera into poses, one frame after the other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Detector, Image, Memory
from ...detectors.tracking.live_tracking import LiveTracker
from ...lifting.inference.live import LiveLifter
from ..video.reader import Frame


@dataclass(frozen=True)
class LivePerson:
    """One person in one frame.

    Attributes:
        track: The person's number.
        keypoints: (17, 3) COCO17 x, y in pixels and score.
        pose: (17, 3) H36M17 in camera space, metres, root at 0.
        root: (3,) the root in camera space, metres; NaN where it is not known.
        confidence: (17,) how reliable each joint is, 0–1.
    """

    track: int
    keypoints: NDArray[np.float32]
    pose: NDArray[np.float32]
    root: NDArray[np.float32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True)
class LivePoses:
    """All people in one frame.

    Attributes:
        frame: Number of the camera's frame.
        time: Seconds since the first frame.
        image: (H, W, 3) uint8, RGB.
        people: Those who were detected.
        detect_ms: Milliseconds that the detector took.
        lift_ms: Milliseconds from the detector's keypoints to the poses.
        dropped: How many frames came too fast so far, and were left out.
    """

    frame: int
    time: float
    image: Image
    people: tuple[LivePerson, ...]
    detect_ms: float
    lift_ms: float
    dropped: int = 0


def live_poses(
    frames: Iterable[Frame],
    detector: Detector,
    tracker: LiveTracker,
    lifter: LiveLifter,
    *,
    memory: Memory | None = None,
    dropped: Callable[[], int] = lambda: 0,
) -> Iterator[LivePoses]:
    """Yield the poses of each frame as soon as they are known.

    Args:
        frames: The camera's frames.
        detector: Finds people.
        tracker: Tells who is who.
        lifter: Lifts them.
        memory: The detector's, see `Detector.detect`.
        dropped: Tells how many frames were left out so far.
    """
    waiting: deque[Frame] = deque()  # a detector may read ahead
    taken = time.perf_counter()

    def images() -> Iterator[Image]:
        nonlocal taken
        for frame in frames:
            waiting.append(frame)
            taken = time.perf_counter()
            yield frame.image

    for found in detector.detect(images(), memory):
        frame = waiting.popleft()
        detected = time.perf_counter()
        people = tracker.step(found, frame.time)
        lifted = lifter.lift(people.keypoints, people.begins, time=frame.time, unseen=~people.seen)
        result = tuple(
            LivePerson(
                int(people.ids[place]),
                people.keypoints[place],
                lifted.pose[place],
                lifted.root[place],
                lifted.confidence[place],
            )
            for place in np.flatnonzero(people.seen)
        )
        done = time.perf_counter()
        yield LivePoses(
            frame.index,
            frame.time,
            frame.image,
            result,
            1e3 * (detected - taken),
            1e3 * (done - detected),
            dropped(),
        )
