"""Tell which pictures show something else than was filmed.

A picture is predicted from earlier ones, so damage lasts until the next key frame. The decoder marks only the
pictures that it conceals damage in.
"""

from __future__ import annotations

from collections.abc import Sequence

import av
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from .h264 import FrameNumbers
from .mpeg2 import PictureNumbers
from .picture_order import PictureOrder

_END_OF_JPEG = b"\xff\xd9"


def _numbers_of(stream: VideoStream) -> FrameNumbers | PictureNumbers | None:
    """Return what reads the numbers of a stream's pictures; None for codecs that do not number them."""
    if stream.codec.name == "h264":
        return FrameNumbers(stream.codec_context.extradata)
    return PictureNumbers() if stream.codec.name in ("mpeg1video", "mpeg2video") else None


class Soundness:
    """Follows the packets and pictures of a stream in order.

    Args:
        stream: The video stream.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._numbers = _numbers_of(stream)
        self._order = PictureOrder()
        self._jpeg = stream.codec.name == "mjpeg"
        self._marks_ends: bool | None = None  # whether the first JPEG picture ends with its mark
        self._unfinished: set[int] = set()  # stamps of packets whose JPEG picture has no end
        self._behind_gap = False  # of packets, in the order of decoding
        self._behind_error = self._predicted_from_corrupt = False  # of pictures, in the order of showing
        self._stamps: set[int] = set()  # of packets behind a gap

    def packet(
        self,
        packet: Packet[VideoStream],
        *,
        joined: bool = False,
        following: Sequence[Packet[VideoStream]] = (),
    ) -> bool:
        """Note a packet that is given to the decoder.

        Args:
            packet: The packet.
            joined: Whether another recording begins right after it. The counters of a transport stream do not
                go on there, so its packets are marked, although nothing is missing.
            following: The next packets.

        Returns:
            Whether it begins a picture. If not, it holds the second field of the picture before.
        """
        gap, begins = False, True
        if isinstance(self._numbers, PictureNumbers):
            for other in following:
                self._numbers.look_ahead(memoryview(other))
        if self._numbers is not None:
            gap = self._numbers.gap_before(memoryview(packet))
            begins = not self._numbers.second_field
            if begins:
                self._order.picture(self._numbers.order, packet.pts)
        if self._jpeg and packet.pts is not None:
            ends = bytes(packet).rstrip(b"\0").endswith(_END_OF_JPEG)
            self._marks_ends = ends if self._marks_ends is None else self._marks_ends
            if self._marks_ends and not ends:
                self._unfinished.add(packet.pts)
        self._behind_gap = (self._behind_gap and not packet.is_keyframe) or gap
        self._behind_gap |= packet.is_corrupt and not joined
        if self._behind_gap and packet.pts is not None:
            self._stamps.add(packet.pts)
        return begins

    def missing(self) -> int:
        """Return how many pictures are missing, as far as the stream tells."""
        return self._order.missing()

    def error(self) -> None:
        """Note that a packet could not be decoded."""
        self._behind_error = True

    def picture(self, picture: av.VideoFrame) -> tuple[bool, bool]:
        """Note the next picture.

        Returns:
            Whether it is damaged or predicted from a damaged one, and whether it is predicted from one that
            is missing.
        """
        if picture.key_frame:
            self._behind_error = self._predicted_from_corrupt = False
        corrupt = picture.is_corrupt or self._predicted_from_corrupt or picture.pts in self._unfinished
        if picture.is_corrupt and picture.pict_type != PictureType.B:
            self._predicted_from_corrupt = True
        behind = self._behind_error or picture.pts in self._stamps
        if picture.pts is not None:
            self._stamps.discard(picture.pts)
            self._unfinished.discard(picture.pts)
        return corrupt, behind and not corrupt
