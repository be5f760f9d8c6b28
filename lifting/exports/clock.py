"""The even clock of an exported file: at which times its frames are, and what they are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...pauses import shorten_pauses

_LONGEST_PAUSE = 10.0  # seconds of an exported file, however long the video's pause between two frames is
_USUAL_STEPS = 2.5  # times the video's usual step, which is no pause
_EVEN = 0.2  # of a frame: if a time stamp is further from the even clock, the motion is resampled


@dataclass(frozen=True)
class Clock:
    """Even frames at `rate` a second; frame 0 is the video's first frame.

    Attributes:
        rate: Frames a second.
        times: (F,) seconds since the video's first decoded frame, of each of its frames, pauses shortened.
        resampled: Whether the clock's frames are others than the video's.
        uneven: Whether the video's own frames are unevenly spaced.
    """

    rate: float
    times: NDArray[np.float64]
    resampled: bool
    uneven: bool

    def seconds(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the time of decoded frames: the clock's own time if nothing is resampled."""
        return self.times[frames] if self.resampled else frames / self.rate

    def span(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the clock's frames from the first to the last of these decoded frames."""
        if not self.resampled:
            return np.arange(frames[0], frames[-1] + 1)
        first = int(np.ceil(self.times[frames[0]] * self.rate - 1e-6))
        last = int(np.floor(self.times[frames[-1]] * self.rate + 1e-6))
        return np.arange(first, max(first, last) + 1)


def make_clock(time: NDArray[np.float64], rate: float, fps: float | None) -> Clock:
    """Return the clock of a video. Pauses of more than ten seconds are shortened to that.

    Args:
        time: (F,) seconds of every decoded frame, rising.
        rate: The video's usual frame rate (`PoseTable.rate`).
        fps: The rate wanted, or None for the video's own.
    """
    since = time - time[0] if len(time) else time
    if len(since) > 1:
        since = shorten_pauses(since, max(_LONGEST_PAUSE, _USUAL_STEPS * float(np.median(np.diff(since)))))
    count = len(since)
    average = (count - 1) / since[-1] if count > 1 and since[-1] > 0 else rate
    strays = np.abs(since - np.arange(count) / average) * average if count else np.zeros(1)
    uneven = bool(strays.max() > _EVEN)
    own = _known_rate(rate if uneven else float(average), count)
    wanted = own if fps is None else fps
    resampled = uneven or abs(wanted - own) * count > _EVEN * own
    return Clock(wanted, since, resampled, uneven)


def _known_rate(rate: float, count: int) -> float:
    """Return the common rate that this one stands for: time stamps in milliseconds give 29.9998 for 30."""
    common = [round(rate * thousandths / 1000) * 1000 / thousandths for thousandths in (1000, 1001)]
    nearest = min(common, key=lambda each: abs(each - rate))
    return nearest if abs(nearest - rate) * max(count, 100) < _EVEN * rate else rate
