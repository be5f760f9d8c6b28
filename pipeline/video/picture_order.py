"""Count pictures that are missing, by the places of the others in the order of showing.

A picture from which no other is predicted can be missing without a gap in the frame numbers of H.264.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from .h264 import Order

_CHUNK = 512  # pictures that are looked at together
_KEPT = 32  # of these, the last ones are looked at again with those that follow
_LONG = 1.5  # times the usual step of time stamps
_MOST_MISSING = 0.2  # of the pictures; if more seem to be missing, places are left out on purpose


class PictureOrder:
    """Follows the pictures of a stream in the order of decoding."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []  # (place, time stamp) since places were last counted anew
        self._last = 0
        self._seen = self._missing = 0

    def picture(self, order: Order | None, stamp: int | None) -> None:
        """Note the next picture."""
        if order is None or stamp is None:
            return
        if order.restarts:
            self._count(len(self._places))
            self._places, self._last = [], 0
        span = 1 << order.bits
        step = (order.place - self._last + span // 2) % span - span // 2
        self._last += step
        self._places.append((self._last, stamp))
        if len(self._places) >= _CHUNK:
            self._count(_CHUNK - _KEPT)

    def missing(self) -> int:
        """Return how many pictures are missing between others."""
        self._count(len(self._places))
        self._places = []
        return self._missing if self._missing <= _MOST_MISSING * self._seen else 0

    def _count(self, count: int) -> None:
        """Count what is missing among the first `count` pictures, and forget these except the last one."""
        self._places.sort()
        part, self._places = self._places[:count], self._places[max(count - 1, 0) :]
        self._seen += len(part)
        if len(part) < 4:
            return
        places, stamps = np.array(part, np.int64).T
        steps, pauses = np.diff(places), np.diff(stamps)
        if (steps <= 0).any() or (pauses <= 0).any():
            return
        usual = Counter(steps.tolist()).most_common(1)[0][0]
        holes = (steps > usual) & (steps % usual == 0) & (pauses > _LONG * np.median(pauses))
        self._missing += int((steps[holes] // usual - 1).sum())
