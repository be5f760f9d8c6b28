"""Say between which frames the packets belong that gave no picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .damage import ranges

_LONG = 1.5  # times the usual step of time stamps: from there on a picture is missing
_NEAR = 16  # pictures: how far the orders of decoding and showing are apart
_MOST_HOLES = 1000


def in_holes(stamps: Sequence[int], shown: NDArray[np.int64], taken: Sequence[int] = ()) -> list[int]:
    """Move time stamps to the nearest places where a picture is missing.

    Args:
        stamps: Time stamps that are about right.
        shown: (N,) those of the pictures that are shown, rising.
        taken: Time stamps that are right; the pictures missing there are known already.

    Returns:
        As many time stamps, rising; one that has no such place near it stays.
    """
    holes = _holes(np.sort(np.concatenate([shown, np.array(taken, np.int64)]))) if len(stamps) else []
    step = float(np.median(np.diff(shown))) if len(shown) > 1 else 0.0
    moved = []
    for stamp in sorted(stamps):
        nearest = min(holes, key=lambda hole: (abs(hole - stamp), hole), default=stamp)
        if abs(nearest - stamp) > _NEAR * step:
            nearest = stamp
        if nearest in holes:
            holes.remove(nearest)
        moved.append(nearest)
    return sorted(moved)


def _holes(stamps: NDArray[np.int64]) -> list[int]:
    """Return where time stamps are missing among others, by their usual step."""
    steps = np.diff(stamps)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if usual <= 0:
        return []
    holes: list[int] = []
    for start, step in zip(stamps[:-1], steps, strict=True):
        if step > _LONG * usual and len(holes) < _MOST_HOLES:
            count = min(round(step / usual), _MOST_HOLES)
            holes += [int(start + step * n / count) for n in range(1, count)]
    return holes


def said(places: Sequence[int], frames: int) -> str:
    """Say where packets belong; nothing if that is not known.

    Args:
        places: The frames before which they belong, rising; `frames` for a place after the last one.
        frames: Number of frames.
    """
    if not places or not frames:
        return ""
    inside = sorted({place for place in places if 0 < place < frames})
    texts = []
    if places[0] == 0:
        texts.append("before the first frame")
    if inside:
        texts.append(f"just before frame{'s' if len(inside) > 1 else ''} {ranges(inside)}")
    if places[-1] == frames:
        texts.append("after the last frame")
    return f" ({', and '.join(texts)})"
