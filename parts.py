"""Work on long sequences part by part, to bound the memory of what is computed on the way."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PART = 4096
"""Frames of a part."""


def parts_of(frames: int) -> list[slice]:
    """Return the parts of a sequence of so many frames, in order."""
    return [slice(start, start + PART) for start in range(0, frames, PART)]


def in_parts(function: Callable[..., NDArray[Any]], *sequences: NDArray[Any]) -> NDArray[Any]:
    """Apply a function that treats every frame by itself to parts of long sequences, and join the results.

    Args:
        function: Reads some frames of every sequence, and gives an array with as many frames.
        sequences: Arrays (T, …) of equally many frames.

    Returns:
        `function(*sequences)`.
    """
    frames = len(sequences[0])
    first = function(*(each[:PART] for each in sequences))
    if frames <= PART:
        return first
    result = np.empty((frames, *first.shape[1:]), first.dtype)
    result[:PART] = first
    for part in parts_of(frames)[1:]:
        result[part] = function(*(each[part] for each in sequences))
    return result


def give_back_memory() -> None:
    """Give memory that Python has freed back to the system, which the C library of Linux does only at times.

    Between the stages of a long video that is hundreds of megabytes.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)


class ComputedRows:
    """A sequence whose frames are computed when they are read, so that it takes no memory itself.

    Args:
        function: As for `in_parts`.
        sequences: As for `in_parts`.
    """

    def __init__(self, function: Callable[..., NDArray[Any]], *sequences: NDArray[Any]) -> None:
        self._function, self._sequences = function, sequences

    def __len__(self) -> int:
        return len(self._sequences[0])

    def __getitem__(self, frames: NDArray[np.integer]) -> NDArray[Any]:
        """Return these frames, given by their numbers."""
        return self._function(*(each[frames] for each in self._sequences))

    def array(self) -> NDArray[Any]:
        """Return all frames as one array."""
        return in_parts(self._function, *self._sequences)
