"""Turn the time stamps of a file into the times of its frames."""

from __future__ import annotations

import heapq

_DEEPEST_REORDERING = 16  # pictures, in H.264 and HEVC
_STUCK = 3  # frames in a row whose time stamps do not advance: from then on stamps say nothing


class DecodingOrder:
    """Recognise time stamps in decoding order, and give them to the pictures in their right order.

    AVI has no place for presentation times. If pictures are stored in another order than they are shown
    in, because of B-frames, each then comes with the time at which it is decoded. Files that are remuxed
    from AVI keep these times. They are recognised by pictures that come out of the decoder in another
    order than their time stamps, although the stamps of the packets rise. The earliest stamp that has not
    been used belongs to the picture that comes out.

    Args:
        reorders: Whether the decoder can give pictures in another order than their packets.
        interval: The usual difference between two time stamps.
    """

    def __init__(self, *, reorders: bool, interval: float) -> None:
        self._reorders, self._interval = reorders, interval
        self._waiting: list[int] = []
        self._last: int | None = None
        self._rising = True
        self._shown: int | None = None
        self._in_order = 0  # pictures in a row whose stamps rise

    def sent(self, stamp: int | None) -> None:
        """Note the time stamp of a packet that is given to the decoder."""
        if stamp is None or not self._reorders:
            return
        self._rising &= self._last is None or stamp > self._last
        self._last = stamp
        heapq.heappush(self._waiting, stamp)

    def shown(self, stamp: int | None) -> int | None:
        """Return the time stamp of the picture that came out, which carries `stamp`."""
        if stamp is None or not self._waiting:
            return stamp
        self._in_order = self._in_order + 1 if self._shown is None or stamp > self._shown else 0
        self._shown = stamp
        # Packets before this gave no picture.
        sorted_by_now = self._in_order > _DEEPEST_REORDERING
        lost = stamp if sorted_by_now else stamp - _DEEPEST_REORDERING * self._interval
        while self._waiting and self._waiting[0] < lost:
            heapq.heappop(self._waiting)
        if not self._waiting or not self._rising:
            self._waiting.clear()
            self._reorders &= self._rising
            return stamp
        return heapq.heappop(self._waiting)


class Clock:
    """Convert a file's time stamps to seconds after the first frame, strictly increasing.

    A frame without a time stamp follows one frame interval after the frame before. A time stamp that is not
    later than the one before, by less than a second, is moved to a tenth of an interval after it; if that
    goes on, to a whole interval. A time stamp that is earlier by more begins a new count, as in files that
    were joined; it continues after the last frame.

    Args:
        interval: Seconds from frame to frame.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.time: float | None = None
        self._zero = 0.0
        self._stuck = 0

    def tick(self, stamp: float | None) -> float:
        """Return the time of the next frame. stamp: its time stamp in seconds, or None."""
        if self.time is None:
            self._zero = stamp or 0.0
            self.time = 0.0
            return self.time
        expected = self.time + self.interval
        time = expected if stamp is None else stamp - self._zero
        if time < self.time - 1.0:
            self._zero += time - expected
            time = expected
        self._stuck = self._stuck + 1 if time <= self.time else 0
        if time > self.time:
            self.time = time
        else:
            self.time += self.interval if self._stuck >= _STUCK else 0.1 * self.interval
        return self.time
