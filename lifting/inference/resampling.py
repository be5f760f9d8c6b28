"""Resample tracks to a lifter's frame rate, and poses back to the video's time stamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.ndimage import uniform_filter1d

RATE_TOLERANCE = (0.75, 1.35)
"""Frame rates, relative to the lifter's, at which tracks are not resampled. Training covers such speeds."""

_EVENNESS = 0.35  # frames: if the deviation of a time stamp is larger, the track is resampled


def at_rate(points: NDArray[np.float32], source: float, rate: float) -> NDArray[np.float32]:
    """Resample (T, J, C) values from the frame rate `source` to `rate`, by linear interpolation."""
    if source == rate:
        return points
    count = int((len(points) - 1) / source * rate + 1e-6) + 1
    at = np.arange(count) * source / rate
    low = np.minimum(at.astype(np.int64), len(points) - 2) if len(points) > 1 else np.zeros(count, np.int64)
    high = np.minimum(low + 1, len(points) - 1)
    share = (at - low).astype(np.float32)[:, None, None]
    out: NDArray[np.float32] = points[low] * (1 - share) + points[high] * share
    return out


def even_times(times: NDArray[np.float64], rate: float | None) -> NDArray[np.float64] | None:
    """Return even times at the lifter's rate that span the track, or None if its own times are suitable.

    Args:
        times: Seconds of the track's frames, rising.
        rate: Frames per second of the lifter; None if unknown.
    """
    if rate is None or len(times) < 2 or times[-1] <= times[0]:
        return None
    even = np.linspace(times[0], times[-1], len(times))
    step = (times[-1] - times[0]) / (len(times) - 1)
    low, high = RATE_TOLERANCE
    if np.abs(times - even).max() <= _EVENNESS * step and low <= 1 / step / rate <= high:
        return None
    return np.linspace(times[0], times[-1], max(2, round((times[-1] - times[0]) * rate) + 1))


def read_at(
    values: NDArray[np.float32], times: NDArray[np.float64], grid: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Resample values (T, …) to the times of `grid`. At a lower rate, neighbouring frames are averaged."""
    surplus = round((len(times) - 1) / (len(grid) - 1))
    if surplus > 1:
        odd = surplus | 1  # an even window would shift the values by half a frame
        values = uniform_filter1d(values, odd, axis=0, mode="nearest")
    return interpolate(values, times, grid)


def interpolate(
    values: NDArray[np.float32], times: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolate values (T, …) linearly; beyond the ends the first and last value are kept."""
    keep = np.diff(times, prepend=times[0] - 1) > 0  # of two frames with one time stamp the first counts
    spline = make_interp_spline(times[keep], values[keep], k=1)
    return np.asarray(spline(np.clip(at, times[0], times[-1])), np.float32)
