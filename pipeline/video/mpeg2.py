"""Find missing pictures in an MPEG-1 or MPEG-2 stream by the numbers of its pictures.

Each picture states its place among those of its group, in the order of showing (`temporal_reference`, ISO/IEC
13818-2 §6.3.9).
"""

from __future__ import annotations

from .h264 import Order

_GROUP, _PICTURE = b"\0\0\1\xb8", b"\0\0\1\0"
_BITS = 10  # of a place
_BIDIRECTIONAL = 3  # the type of pictures from which no other is predicted
_HEAD = 4096  # bytes of a packet in which the headers stand


class PictureNumbers:
    """Follows the pictures of a stream in the order of decoding.

    Attributes:
        order: The place of the last picture, or None.
        second_field: Always False: the two fields of a picture come in one packet.
    """

    def __init__(self) -> None:
        self.order: Order | None = None
        self.second_field = False
        self._previous: int | None = None
        self._reorders = False  # whether pictures are stored in another order than they are shown in

    def look_ahead(self, packet: memoryview) -> None:
        """Note a packet that follows, because a bidirectional picture is stored after those around it."""
        header = _header(packet)
        self._reorders |= header is not None and header[1] == _BIDIRECTIONAL

    def gap_before(self, packet: memoryview) -> bool:
        """Whether a picture that this one is predicted from is missing.

        This is known only of streams without bidirectional pictures, in which places rise one by one. In
        other streams, `PictureOrder` counts the places that are missing.
        """
        self.order = None
        header = _header(packet)
        if header is None:
            return False
        place, kind, restarts = header
        self.order = Order(place, _BITS, restarts)
        self._reorders |= kind == _BIDIRECTIONAL
        before, self._previous = self._previous, place
        if restarts or before is None or self._reorders:
            return False
        return place not in (before, (before + 1) % (1 << _BITS))


def _header(packet: memoryview) -> tuple[int, int, bool] | None:
    """Return a picture's place and type, and whether a group begins with it; None if there is no picture."""
    head = bytes(packet[:_HEAD])
    at = head.find(_PICTURE)
    if at < 0 or at + 6 > len(head):
        return None
    return head[at + 4] << 2 | head[at + 5] >> 6, head[at + 5] >> 3 & 7, 0 <= head.find(_GROUP) < at
