"""Decide how the frames of a camera are fed to a live network that works at another frame rate.

The network expects a frame every 1/rate seconds; 0.75 to 1.35 times that rate is as good. For a slower
camera, or one whose frames were dropped, frames are inserted. Behind a faster camera, several copies of the
network take turns, so that each gets frames at about its rate: at 60 frames a second for a lifter of 30, one
copy gets the even frames and one the odd ones. Every frame of the camera is the newest frame of a network,
and no pose waits for the next frame. As the copies see different errors of the detector, their poses would
tremble: the newest poses of all copies are averaged.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .resampling import RATE_TOLERANCE

MOST_STREAMS = 8
"""Copies of the network that take turns, at most."""

_MEASURED = 15  # intervals between frames whose median is the camera's
_FEWEST_MEASURED = 5
_STALE = 2.5  # times the usual interval since a network's last frame: from then on, its past is not continued
_GAP = 1.5  # times the usual interval between two frames: from then on, frames between them were dropped
_SLOWEST, _FASTEST = RATE_TOLERANCE  # rates of a network's frames, relative to the lifter's
_ROUNDING = 0.01  # frames, for time stamps in milliseconds
_MOST_STEPS = 15  # frames fed for one frame of the camera, at most


class Turn(NamedTuple):
    """How one frame of the camera is fed.

    Attributes:
        stream: Index of the network whose turn it is.
        source: Index of the network whose past it continues. If it is another one, its past is copied first.
        steps: Frames to feed: the frame itself after `steps` − 1 frames inserted before it.
        averaged: The pose is the mean of so many of the newest frames' poses, this one included.
    """

    stream: int
    source: int
    steps: int
    averaged: int = 1


def between(before: NDArray[np.float32], now: NDArray[np.float32], steps: int) -> list[NDArray[np.float32]]:
    """Return the frames to feed: `steps` − 1 frames inserted evenly after `before`, and `now`."""
    shares = [np.float32(step / steps) for step in range(1, steps)]
    return [*(before + share * (now - before) for share in shares), now]


class LiveClock:
    """Chooses the network and the number of steps for each frame.

    Args:
        rate: Frames per second of the lifter; None if unknown. Then every frame is one step.
        camera_rate: Frames per second of the camera, if known. Without it, the rate is measured.
    """

    def __init__(self, rate: float | None, camera_rate: float | None = None) -> None:
        self._rate = rate
        self._intervals: deque[float] = deque(maxlen=_MEASURED)
        self._camera_interval = 1 / camera_rate if camera_rate else None
        self._last: list[float] = []  # time of each network's last frame
        self._unbroken = 1  # frames since the last gap

    def turn(self, time: float | None) -> Turn:
        """Return how the next frame is fed.

        Args:
            time: The frame's time in seconds. None for a camera at the lifter's rate.
        """
        if self._rate is None or time is None:
            return Turn(0, 0, 1)
        if not self._last:
            self._last = [time]
            return Turn(0, 0, 1)
        newest = int(np.argmax(self._last))
        if (interval := time - self._last[newest]) > 0:
            self._intervals.append(interval)
        interval = self._interval()
        relative = interval * self._rate  # frames of the lifter between two of the camera
        wanted = 1
        if 1 / relative > _FASTEST:
            wanted = min(max(round(1 / relative), 2), MOST_STREAMS)
        self._unbroken = 1 if time - self._last[newest] > _GAP * interval else self._unbroken + 1
        gaps = np.maximum(time - np.array(self._last), 1e-6) / (wanted * interval)
        fresh = np.flatnonzero(gaps < _STALE)
        source = stream = newest
        if wanted > 1 and len(fresh):
            source = stream = int(fresh[np.abs(np.log(gaps[fresh])).argmin()])
            if len(fresh) < wanted and gaps[source] < 1 - 0.5 / wanted:
                stale = [i for i in range(len(gaps)) if i not in fresh]
                stream = stale[0] if stale else len(self._last)
        steps = max(1, round(float(gaps[source]))) if stream == source else 1
        steps *= max(1, math.ceil(wanted * relative * _SLOWEST - _ROUNDING))
        self._last[stream : stream + 1] = [time]
        return Turn(stream, source, min(steps, _MOST_STEPS), min(wanted, self._unbroken))

    def _interval(self) -> float:
        """The usual time between two frames of the camera: measured, else as stated, else the lifter's."""
        assert self._rate is not None
        if len(self._intervals) >= _FEWEST_MEASURED:
            return statistics.median(self._intervals)
        return self._camera_interval or 1 / self._rate
