"""One person through time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...pauses import shorten_pauses
from ..people import NUM_KEYPOINTS

MIN_SIGHTINGS = 5
"""A track with detections on fewer frames is dropped as a false detection."""

LONGEST_STEP = 0.25
"""Seconds that the time between two successive frames counts at most, see `watched_time`."""


@dataclass(frozen=True)
class Track:
    """One person through time.

    Attributes:
        id: Not negative.
        frames: (n,) int32, rising frame numbers, n at least 1.
        keypoints: (n, 17, 3) float32, COCO17 x, y in pixels and score 0–1.
        filled: (n,) bool, whether the keypoints were interpolated rather than detected.
        extra: (n, K, 3) float32, further keypoints, such as heels and toes; None if there are none.
        extra_names: Their K names.

    Raises:
        ValueError: If shapes disagree, frames do not rise or keypoints are not finite.
    """

    id: int
    frames: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    filled: NDArray[np.bool_]
    extra: NDArray[np.float32] | None = None
    extra_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.frames)
        if self.id < 0 or count == 0 or self.frames.ndim != 1:
            raise ValueError(
                f"expected an id from 0 and (n,) frames, found {self.id} and {self.frames.shape}"
            )
        if self.keypoints.shape != (count, NUM_KEYPOINTS, 3) or self.filled.shape != (count,):
            raise ValueError(
                f"shapes disagree: frames {self.frames.shape}, keypoints {self.keypoints.shape}, "
                f"filled {self.filled.shape}"
            )
        if self.extra is not None and self.extra.shape != (count, len(self.extra_names), 3):
            raise ValueError(
                f"shapes disagree: {len(self.extra_names)} names and extra keypoints {self.extra.shape}"
            )
        if (np.diff(self.frames) <= 0).any() or not np.isfinite(self.keypoints).all():
            raise ValueError("frames must rise and keypoints must be finite")

    def __len__(self) -> int:
        return len(self.frames)


def fewest_sightings(min_seen: int, length: int) -> int:
    """Return how many sightings a track needs in a clip of `length` frames: at most half of them."""
    return min(min_seen, max(length // 2, 1))


def watched_time(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the time for which the clip was watched, by which absences are measured.

    A person can only be missed on a frame. A pause between two frames therefore counts as `LONGEST_STEP`
    at most, and a time lapse as a video with that step.

    Args:
        times: (n,) seconds, rising.

    Returns:
        (n,) seconds; the same as `times`, if no step is longer than `LONGEST_STEP`.
    """
    return shorten_pauses(times, LONGEST_STEP)


def check_clock(frames: NDArray[np.int32], times: NDArray[np.float64]) -> None:
    """Check the frame numbers of a clip and their times in seconds.

    Raises:
        ValueError: If they have different lengths or do not rise.
    """
    if frames.shape != times.shape or frames.ndim != 1:
        raise ValueError(f"shapes disagree: frames {frames.shape}, times {times.shape}")
    if (np.diff(frames) <= 0).any() or (np.diff(times) <= 0).any():
        raise ValueError("frame numbers and times must rise")
