"""Time several functions in turns, in one run, so that other load on the machine affects all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Times = dict[str, NDArray[np.float64]]
"""By name: (rounds, 2), milliseconds by the clock and of the processor."""


def take_turns(
    sides: Mapping[str, Callable[[], object]], rounds: int, *, per: float, warm_up: int = 2
) -> Times:
    """Call all sides in turns and time them.

    Args:
        sides: Functions by name.
        rounds: Calls of each.
        per: What the time of a call is divided by, such as its number of samples.
        warm_up: Calls before, which are not timed.
    """
    for _ in range(warm_up):
        for call in sides.values():
            call()
    times = {name: np.empty((rounds, 2)) for name in sides}
    for turn in range(rounds):
        order = list(sides.items())
        for name, call in order if turn % 2 else reversed(order):
            clock, processor = time.perf_counter(), time.process_time()
            call()
            taken = time.perf_counter() - clock, time.process_time() - processor
            times[name][turn] = np.array(taken) * 1000 / per
    return times


def show(title: str, times: Times, unit: str, *, against: str | None = None) -> None:
    """Print medians and quartiles, of processor time in brackets, and the speed relative to `against`."""
    print(f"{title}, {unit}")
    for name, taken in times.items():
        print(f"{name:>28}  {_summary(taken)}")
    if against in times:
        for name in times.keys() - {against}:
            print(f"{f'{name}: times faster':>28}  {_summary(times[against] / times[name])}")


def _summary(values: NDArray[np.float64]) -> str:
    low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
    clock, processor = (f"{m:7.3f} ({a:.3f} to {b:.3f})" for a, m, b in zip(low, middle, high, strict=True))
    return f"{clock}  [{processor.strip()}]"
