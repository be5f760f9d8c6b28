"""Put time stamps right that damage changed, in files whose pictures are stored at a constant rate.

MP4 and QuickTime keep the times of decoding and what is added to them for showing in different tables. If the
former are regular, so are the times of showing, and a picture that is shown elsewhere has a damaged entry.
"""

from __future__ import annotations

from av.video.stream import VideoStream

_OFF = 1 / 16  # of a step: stamps so far from their place are wrong
_MOST_WRONG = 1 / 4  # of the stamps: if more seem to be wrong, pictures are shown at irregular times


class RegularSteps:
    """Where pictures are shown that follow each other in regular steps.

    Args:
        step: Units of time stamps from picture to picture.

    Attributes:
        moved: How many time stamps were put right.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._origin: int | None = None
        self._last = 0  # the place of the picture before
        self._right = self._wrong = self.moved = 0
        self._decoded: int | None = None
        self._regular = True

    def sent(self, decoding: int | None) -> None:
        """Note the decoding time stamp of a packet. If one is out of step, the others say nothing."""
        if decoding is None or (self._decoded is not None and decoding - self._decoded != self._step):
            self._regular = False
        self._decoded = decoding

    def place(self, stamp: int, following: int | None) -> int:
        """Return the time stamp at which a picture is shown.

        A stamp is wrong if it lies between the steps, not after the picture before, or not before the next
        picture, unless that one's stamp is wrong itself.

        Args:
            stamp: The picture's own time stamp.
            following: The own time stamp of the next picture; None at the end.
        """
        if self._origin is None:
            self._origin = stamp
            return stamp
        own, next_ = self._exact(stamp), None if following is None else self._exact(following)
        limit = None if next_ is None or next_ <= self._last else next_
        if own is not None and own > self._last and (limit is None or own < limit):
            self._right += 1
            self._last = own
            return stamp
        self._wrong += 1
        place = max(self._last + 1, round((stamp - self._origin) / self._step))
        if limit is not None:
            place = min(place, limit - 1)
        if place <= self._last or not self._regular or self._wrong > _MOST_WRONG * (self._right + 1):
            self._last = max(self._last, own or 0)
            return stamp
        self._last = place
        self.moved += 1
        return self._origin + place * self._step

    def _exact(self, stamp: int) -> int | None:
        """Return the step at which a stamp lies; None if it lies between two."""
        place = (stamp - (self._origin or 0)) / self._step
        return round(place) if abs(place - round(place)) < _OFF else None


def regular_steps(container: str, stream: VideoStream) -> RegularSteps | None:
    """Return the regular steps of a stream; None if its file does not say that there are any.

    Args:
        container: libav's name of the container.
        stream: The stream.
    """
    if not container.startswith("mov,") or not stream.frames or not stream.duration:
        return None
    step, rest = divmod(stream.duration, stream.frames)
    return RegularSteps(step) if step > 0 and not rest else None
