"""Work on long sequences part by part, to bound the memory of what is computed on the way."""

from __future__ import annotations

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
