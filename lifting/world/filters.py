"""Filters that smooth motion, by name. Each works on one unbroken piece of one person's motion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from ...errors import UsageError
from ..pose_table import PoseTable
from .bones import constant_bones
from .segments import unbroken

Motion = NDArray[np.float64]
"""(T, J, 3) positions, metres."""

_TWO_PASSES = 0.802  # a second-order filter run twice reaches −3 dB at this fraction of its own cut-off
_EVENNESS = 0.1  # of a frame: how far a time stamp may be from an even clock before it is resampled
_SPEED_COEFFICIENT = 1.0  # Hz for each m/s: how much the cut-off of One-Euro rises with speed
_SPEED_CUTOFF = 2.0  # Hz, of the low-pass filter on speed


@dataclass(frozen=True)
class Filter:
    """A filter by name, with its cut-off frequency.

    Attributes:
        name: a key of `FILTERS`.
        hz: cut-off in Hz; None for the filter's default.

    Raises:
        UsageError: The name is unknown, the cut-off is not positive, or the filter has none.
    """

    name: str
    hz: float | None = None

    def __post_init__(self) -> None:
        if self.name not in FILTERS:
            raise UsageError(f"there is no filter {self.name!r}; there are {', '.join(FILTERS)}")
        if self.hz is not None and FILTERS[self.name].hz is None:
            raise UsageError(f"the filter {self.name} has no cut-off frequency; leave :{self.hz:g} out")
        if self.hz is not None and not 0 < self.hz < math.inf:
            raise UsageError(f"--filter {self.name}: expected a cut-off of more than 0 Hz, found {self.hz:g}")

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Read NAME or NAME:HZ. Raises `UsageError`."""
        name, colon, number = text.partition(":")
        try:
            return cls(name, float(number) if colon else None)
        except ValueError as error:
            raise UsageError(f"--filter: expected NAME or NAME:HZ, found {text!r}") from error

    def __str__(self) -> str:
        hz = FILTERS[self.name].hz if self.hz is None else self.hz
        return self.name if hz is None else f"{self.name}:{hz:g}"


@dataclass(frozen=True)
class Kind:
    """What a filter's name stands for.

    Attributes:
        smooth: called with (T, J, 3) positions, (T,) times in seconds and the cut-off; gives (T, J, 3).
        hz: the default cut-off; None for a filter without one.
        summary: one line for the help.
        root: whether the root's path is filtered too.
    """

    smooth: Callable[[Motion, NDArray[np.float64], float], Motion]
    hz: float | None
    summary: str
    root: bool = True


def butterworth(positions: Motion, times: NDArray[np.float64], hz: float) -> Motion:
    """Smooth by a zero-phase Butterworth filter: second order, forward and backward.

    Args:
        positions: (T, …) values.
        times: (T,) seconds, rising. Uneven times are evened for the filter.
        hz: where the two passes together reach −3 dB. From half of the frame rate on, nothing is changed.

    Returns:
        (T, …).
    """
    count = len(times)
    if count < 4 or times[-1] <= times[0]:
        return positions
    even = np.linspace(times[0], times[-1], count)
    rate = (count - 1) / (times[-1] - times[0])
    cutoff = hz / _TWO_PASSES
    if cutoff >= 0.499 * rate:
        return positions
    uneven = np.abs(times - even).max() * rate > _EVENNESS
    flat = positions.reshape(count, -1)
    values = _interpolate(flat, times, even) if uneven else flat
    sections = butter(2, cutoff, fs=rate, output="sos")
    padding = min(count - 1, max(9, round(2 * rate / hz)))
    values = np.asarray(sosfiltfilt(sections, values, axis=0, padlen=padding), np.float64)
    return (_interpolate(values, even, times) if uneven else values).reshape(positions.shape)


def one_euro(positions: Motion, times: NDArray[np.float64], hz: float) -> Motion:
    """Smooth by the One-Euro filter (Casiez, Roussel, Vogel, CHI 2012), forward and then backward.

    The cut-off rises with a joint's speed, so joints at rest are smoothed more than fast ones. The second
    pass removes the delay of the first.

    Args:
        positions: (T, J, 3) metres.
        times: (T,) seconds, rising.
        hz: the cut-off of a joint at rest.

    Returns:
        (T, J, 3).
    """
    if len(times) < 2:
        return positions
    forward = _one_euro_pass(positions, np.diff(times), hz)
    return _one_euro_pass(forward[::-1], np.diff(times)[::-1], hz)[::-1]


def _one_euro_pass(positions: Motion, steps: NDArray[np.float64], hz: float) -> Motion:
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1 / 30
    out = positions.copy()
    velocity = np.zeros(positions.shape[1:])
    for t, step in enumerate(np.where(steps > 0, steps, usual), 1):
        raw = (positions[t] - out[t - 1]) / step
        velocity += _gain(_SPEED_CUTOFF, step) * (raw - velocity)
        speed = np.linalg.norm(velocity, axis=-1, keepdims=True)
        out[t] = out[t - 1] + _gain(hz + _SPEED_COEFFICIENT * speed, step) * (positions[t] - out[t - 1])
    return out


def _gain(cutoff: NDArray[np.float64] | float, step: float) -> NDArray[np.float64]:
    turn = 2 * np.pi * np.asarray(cutoff) * step
    return np.asarray(turn / (1 + turn))


FILTERS: dict[str, Kind] = {
    "butterworth": Kind(butterworth, 1.7, "zero-phase low-pass filter"),
    "one-euro": Kind(one_euro, 0.5, "calms joints at rest more than fast ones"),
    "bones": Kind(
        lambda positions, times, hz: constant_bones(positions), None, "constant bone lengths", False
    ),
}
"""The filters by name. A new filter is one function and one line here."""


def filter_motion(table: PoseTable, filters: list[Filter]) -> PoseTable:
    """Filter everyone's poses and roots, one filter after the other, in the world.

    Tracks are filtered one by one, and gaps divide a track. `bones` takes a track as a whole, because a
    person's bones do not change across a gap.

    Args:
        table: poses, and cameras whose rotation the filters do not see.
        filters: which filters, in order.

    Returns:
        The table with filtered `pose` and `root`, and `meta["filters"]`.
    """
    if not filters:
        return table
    rotation, place = table.camera_rotation[table.frame], table.camera_position[table.frame]
    pose = np.einsum("nij,nkj->nki", rotation, table.pose).astype(np.float64)
    root = np.einsum("nij,nj->ni", rotation, table.root).astype(np.float64)[:, None] + place[:, None]
    for _, rows in table.tracks():
        times = table.time[table.frame[rows]]
        for each in filters:
            kind = FILTERS[each.name]
            hz = each.hz or kind.hz
            for values in (pose[rows], root[rows]) if kind.root else (pose[rows],):
                known = np.isfinite(values).all((1, 2))
                if hz is None:
                    values[known] = kind.smooth(values[known], times[known], math.nan)
                    continue
                for run in unbroken(times, known):
                    values[run] = kind.smooth(values[run], times[run], hz)
    return replace(
        table,
        pose=np.einsum("nji,nkj->nki", rotation, pose).astype(np.float32),
        root=np.einsum("nji,nj->ni", rotation, root[:, 0] - place).astype(np.float32),
        meta={**table.meta, "filters": [*table.meta.get("filters", ()), *map(str, filters)]},
    )


def _interpolate(values: Motion, times: NDArray[np.float64], at: NDArray[np.float64]) -> Motion:
    """Values (T, C) at other times, linearly."""
    return np.stack([np.interp(at, times, column) for column in values.T], 1)
