"""Feed a whole track to a causal lifter of another frame rate, exactly as the live lifter does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .live_clock import LiveClock, between

Values = NDArray[np.float32]

_FIRST = 16  # frames whose time stamps tell the frame rate at the beginning


@dataclass(frozen=True)
class CausalFeed:
    """The sequences that the networks of `LiveClock` read, and where the frames of the track are in them.

    Attributes:
        sequences: Lifter inputs (S, J, F) at about the lifter's rate.
        places: (T, 2) the sequence of each frame of the track, and the index in it.
        averaged: (T,) the number of frames whose results are averaged for each frame, see `Turn`.
    """

    sequences: tuple[Values, ...]
    places: NDArray[np.int64]
    averaged: NDArray[np.int64]

    def gather(self, lift: Callable[[Values], Values]) -> Values:
        """Lift every sequence, and return the result of each frame of the track."""
        lifted = [lift(sequence) for sequence in self.sequences]
        single = np.stack([lifted[sequence][index] for sequence, index in self.places])
        result = single.copy()
        for back in range(1, int(self.averaged.max())):
            rows = np.flatnonzero(self.averaged > back)
            result[rows] += single[rows - back]
        counts = self.averaged.astype(np.float32).reshape(-1, *[1] * (single.ndim - 1))
        return np.asarray(result / counts, np.float32)


def causal_feed(
    lifter_input: Values, times: NDArray[np.float64], rate: float, receptive_field: int
) -> CausalFeed:
    """Return the sequences for a track whose frame rate is not the lifter's.

    Args:
        lifter_input: (T, J, F), see `Lifter.lifter_input`.
        times: (T,) seconds, rising.
        rate: Frames per second of the lifter.
        receptive_field: Frames that the network reads for one pose.
    """
    interval = float(np.median(np.diff(times[:_FIRST])))
    clock = LiveClock(rate, 1 / interval if interval > 0 else None)
    sequences: list[list[Values]] = []
    current: list[int] = []  # the sequence of each network
    places, averaged = [], []
    for frame, time in zip(lifter_input, times, strict=True):
        turn = clock.turn(float(time))
        if turn.stream != turn.source or not sequences:
            # A network that continues the past of another reads no more of it than its receptive field.
            past = sequences[current[turn.source]][-receptive_field:] if sequences else []
            sequences.append(list(past))
            current[turn.stream : turn.stream + 1] = [len(sequences) - 1]
        sequence = sequences[current[turn.stream]]
        sequence.extend(between(sequence[-1] if sequence else frame, frame, turn.steps))
        places.append((current[turn.stream], len(sequence) - 1))
        averaged.append(turn.averaged)
    return CausalFeed(
        tuple(np.stack(each) for each in sequences), np.array(places, np.int64), np.array(averaged, np.int64)
    )
