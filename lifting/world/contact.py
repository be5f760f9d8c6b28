"""When feet stand on the floor: by the ankles' height and speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

from .filters import butterworth
from .segments import unbroken

_CALM = 3.0  # Hz: cut-off of the low-pass filter on ankles, whose jitter would count as speed
_SPEED = 0.6  # m/s: a foot of this speed, at `_HEIGHT`, stands with a likelihood of 0.5
_HEIGHT = 0.12  # metres above the lowest that feet are around that time
_SOFT = 0.25  # how gradually the likelihood falls around these, as a fraction of them
_ENTER, _LEAVE = 0.5, 0.3  # likelihoods at which contact begins and ends
_AROUND = 1.5  # seconds before and after, in which the lowest ankle gives the floor
_SHORTEST = 0.1  # seconds; a shorter contact is none
_BLINK = (
    0.25  # seconds; a foot that comes into sight, or goes out of it, for less is an error of the detector
)


def find_contact(
    ankles: NDArray[np.floating],
    times: NDArray[np.float64],
    foot_speed: NDArray[np.float64] | None = None,
    seen: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Tell when one person's feet stand on the floor.

    A foot stands while it is slow and near the height of the lowest ankle in the seconds around. The person's
    own lowest ankle is used, because the height above the floor is known only roughly from one camera.

    Args:
        ankles: (T, 2, 3) left and right, in the world, metres, z up. NaN where not known.
        times: (T,) seconds.
        foot_speed: (T, 2) metres a second of heel or toe, NaN where not known, as of
            `foot_keypoints.foot_speed`. A foot's speed is then the mean of this and of the ankle's. None if
            no heels and toes were found.
        seen: (T, 2), whether each foot is in the picture and not hidden. Changes that last for less than a
            quarter of a second do not count. A hidden foot does not give the floor's height. None if all are
            seen.

    Returns:
        (T, 2) float32, 0–1: above 0.5 while the foot stands. NaN where the ankles are not known, and where
        the foot is not seen.
    """
    contact = np.full(ankles.shape[:2], np.nan, np.float32)
    shown = np.ones(ankles.shape[:2], np.bool_) if seen is None else _lasting(seen, times)
    for run in unbroken(times, np.isfinite(ankles).all((1, 2))):
        feet = np.full((run.stop - run.start, 2), np.nan) if foot_speed is None else foot_speed[run]
        contact[run] = _of_run(np.asarray(ankles[run], np.float64), times[run], feet, shown[run])
    contact[~shown] = np.nan
    return contact


def _lasting(seen: NDArray[np.bool_], times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(T, 2): `seen` without what lasts for less than `_BLINK`: moments out of sight, then glimpses."""
    lasting = seen.copy()
    for foot in lasting.T:
        for state in (False, True):
            edges = np.flatnonzero(np.diff(foot == state, prepend=False, append=False))
            for start, end in edges.reshape(-1, 2):
                around = times[max(start - 1, 0)], times[min(end, len(times) - 1)]
                if end - start < len(times) and around[1] - around[0] < _BLINK:
                    foot[start:end] = not state
    return lasting


def _of_run(
    ankles: NDArray[np.float64],
    times: NDArray[np.float64],
    feet: NDArray[np.float64],
    seen: NDArray[np.bool_],
) -> NDArray[np.float32]:
    if len(times) < 3 or times[-1] <= times[0]:
        return np.zeros(ankles.shape[:2], np.float32)
    rate = (len(times) - 1) / (times[-1] - times[0])
    height, speed = np.empty(feet.shape), np.empty(feet.shape)
    for foot in (0, 1):  # one after the other: a filter takes several times the memory of its values
        calm = butterworth(ankles[:, foot], times, _CALM)
        height[:, foot] = calm[:, 2]
        speed[:, foot] = np.linalg.norm(np.gradient(calm, 1 / rate, axis=0), axis=-1)
    speed = np.where(np.isfinite(feet), 0.5 * (speed + feet), speed)
    around = 2 * round(_AROUND * rate) + 1
    lower = np.where(seen | ~seen.any(1, keepdims=True), height, np.inf).min(1)
    height -= percentile_filter(lower, 10, size=around, mode="nearest")[:, None]
    likely = _falling(speed, _SPEED) * _falling(height, _HEIGHT)
    standing = np.stack([_hysteresis(foot) for foot in likely.T], 1)
    standing &= np.stack([_long_enough(foot, round(_SHORTEST * rate)) for foot in standing.T], 1)
    return np.where(standing, 0.5 + 0.5 * likely, 0.5 * likely).astype(np.float32)


def _falling(values: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    """1 for small values, 0 for large ones, about 0.7 at `middle`."""
    return np.asarray(1 / (1 + np.exp(np.clip((values / middle - 1) / _SOFT - 0.88, -50, 50))))


def _hysteresis(likely: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Runs above `_LEAVE` that somewhere reach `_ENTER`."""
    labels = np.cumsum(np.diff((likely >= _LEAVE).astype(np.int64), prepend=0) > 0) * (likely >= _LEAVE)
    reached = np.unique(labels[(likely >= _ENTER) & (labels > 0)])
    return np.asarray(np.isin(labels, reached) & (labels > 0))


def _long_enough(standing: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Whether each frame belongs to a contact of at least so many frames."""
    edges = np.flatnonzero(np.diff(standing.astype(np.int8), prepend=0, append=0))
    out = np.zeros(len(standing), np.bool_)
    for start, end in edges.reshape(-1, 2):
        out[start:end] = end - start >= least
    return out
