"""Turn the time stamps of a file into the times of its frames."""

from __future__ import annotations

from collections import deque

_DEEPEST_REORDERING = 16  # pictures, in H.264 and HEVC
_MOST_HELD = 64  # packets that a decoder holds, in all its threads
_STUCK = 3  # frames in a row whose time stamps do not advance: from then on stamps say nothing


class DecodingOrder:
    """Recognise time stamps in decoding order, and give them to the pictures in their right order.

    AVI has no place for presentation times. If pictures are stored in another order than they are shown
    in, because of B-frames, each then comes with the time at which it is decoded. Files that are remuxed
    from AVI keep these times. They are recognised by pictures that come out of the decoder in another
    order than their time stamps, although the stamps of the packets rise. The earliest stamp that has not
    been used belongs to the picture that comes out.

    Args:
        by_decoding: Whether the container has decoding times only, as AVI. What libav gives as presentation
            time there is a guess.
    """

    def __init__(self, *, by_decoding: bool = False) -> None:
        self._by_decoding = by_decoding
        self._waiting: deque[tuple[int, int]] = deque()  # the stamp of a packet, and the time it stands for
        self._last: int | None = None
        self._delay: int | None = None
        self._rising = True
        self._shown: int | None = None
        self._in_order = 0  # pictures in a row whose stamps rise
        self._failed: set[int] = set()  # stamps of packets that could not be decoded

    def sent(self, stamp: int | None, decoding: int | None = None) -> None:
        """Note the presentation and decoding time stamps of a packet that is given to the decoder."""
        if stamp is None or not self._rising:
            return
        self._rising = self._last is None or stamp > self._last
        self._last = stamp
        time = stamp
        if self._by_decoding and decoding is not None:
            self._delay = stamp - decoding if self._delay is None else self._delay
            time = decoding + self._delay
        self._waiting.append((stamp, time))

    def failed(self, stamp: int | None) -> None:
        """Note that a packet could not be decoded, so that its time stamp is not for another picture."""
        if stamp is None:
            return
        kept = [each for each in self._waiting if each[0] != stamp]
        if len(kept) < len(self._waiting):
            self._waiting = deque(kept)
            self._failed.add(stamp)

    def shown(self, stamp: int | None, *, reorders: bool) -> int | None:
        """Return the time stamp of the picture that came out.

        Args:
            stamp: The stamp that it carries.
            reorders: Whether the decoder can give pictures in another order than their packets.
        """
        if stamp is None or stamp in self._failed or not self._rising or not self._waiting:
            return stamp
        self._in_order = self._in_order + 1 if self._shown is None or stamp > self._shown else 0
        self._shown = stamp
        if not reorders or self._in_order > _DEEPEST_REORDERING:
            while self._waiting and self._waiting[0][0] < stamp:  # packets that gave no picture
                self._waiting.popleft()
        while len(self._waiting) > _MOST_HELD:
            self._waiting.popleft()
        return self._waiting.popleft()[1] if self._waiting else stamp


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
