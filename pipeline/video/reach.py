"""Record which packets of a file were read, and which of them gave no picture."""

from __future__ import annotations

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

_DEEPEST_REORDERING = 8  # packets: how far the orders of decoding and showing are apart
_EMPTY = 16  # bytes: MPEG-4 has packets that only stand for a picture that came with another one
_WRONG_OFFSET = 10.0  # seconds between decoding and showing a picture that only damaged files state


class Reach:
    """Which packets were read, and which of them gave no picture."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._end: int | None = None
        self._first_shown: int | None = None
        self._waiting: dict[int, int] = {}  # packets by time stamp
        self._leading: set[int] = set()  # stamps of the packets up to the second key frame
        self._key_frames = 0
        self._left_out: list[int] = []  # numbers of the packets that the edit list leaves out
        self._left_out_at: dict[int, int] = {}  # their time stamps, by number
        self._first_decoded: int | None = None
        self._wrongly_stamped: list[int] = []  # when they are decoded, after the first packet
        self._last_kept = 0
        self.packets = 0
        self.without_place = 0  # packets without a usable time stamp that gave no picture

    def read(self, packet: Packet[VideoStream], stream: VideoStream) -> None:
        """Note a packet that is given to the decoder."""
        stamp = packet.pts
        if not packet.size:
            return
        empty = _EMPTY if stream.codec.name == "mpeg4" else 1
        self._key_frames += packet.is_keyframe
        self.packets += 1
        if stamp is None:
            self.without_place += packet.size > empty
            return
        base = float(stream.time_base or 0)
        if packet.dts is not None:
            self._first_decoded = packet.dts if self._first_decoded is None else self._first_decoded
            if abs(stamp - packet.dts) * base > _WRONG_OFFSET:
                self.without_place += packet.is_discard
                if packet.is_discard:
                    self._wrongly_stamped.append(packet.dts - self._first_decoded)
                return
        self._first = stamp if self._first is None else min(self._first, stamp)
        end = stamp + (packet.duration or 0)
        self._end = end if self._end is None else max(self._end, end)
        if packet.is_discard:
            self._left_out.append(self.packets)
            self._left_out_at[self.packets] = stamp
        else:
            self._last_kept = self.packets
        if packet.size > empty and not packet.is_discard:
            self._waiting[stamp] = self._waiting.get(stamp, 0) + 1
            if self._key_frames == 1:
                self._leading.add(stamp)

    def shown(self, stamp: int | None) -> None:
        """Note a picture that came out of the decoder."""
        if stamp is None:
            self.without_place -= 1
            return
        if self._first_shown is None:
            self._first_shown = stamp
        if self._waiting.get(stamp, 0) > 1:
            self._waiting[stamp] -= 1
        else:
            self._waiting.pop(stamp, None)

    def left_out_alone(self) -> int:
        """Return how many packets the edit list leaves out although those around them are shown.

        An edit list cuts a beginning, an end or a longer part. A single packet is left out if its time stamp
        is wrong.
        """
        return len(self._alone())

    def _alone(self) -> list[int]:
        """Return the numbers of such packets."""
        numbers = np.array(self._left_out)
        near = np.diff(numbers, prepend=-_DEEPEST_REORDERING, append=self._last_kept + _DEEPEST_REORDERING)
        alone = (near[:-1] >= _DEEPEST_REORDERING) & (near[1:] >= _DEEPEST_REORDERING)
        inside = (numbers > _DEEPEST_REORDERING) & (numbers < self._last_kept - _DEEPEST_REORDERING)
        return [int(number) for number in numbers[alone & inside]]

    def misplaced(self) -> list[int]:
        """Return when the packets should have been shown whose time stamps are wrong, as far as it is known.

        Only when they are decoded is known, which is a few pictures earlier at most.
        """
        start = self._first_shown or 0
        return sorted(
            [start + at for at in self._wrongly_stamped] + [self._left_out_at[n] for n in self._alone()]
        )

    def lost(self, *, hidden: bool) -> list[int]:
        """Return the time stamps of the packets that gave no picture.

        Pictures that are stored after the first key frame and shown before it do not count: a recording that
        begins in the middle of a broadcast lacks what they are predicted from.

        Args:
            hidden: Whether the codec has packets that are not meant to be shown.
        """
        if hidden or self._first_shown is None:
            return []
        return sorted(
            stamp
            for stamp, count in self._waiting.items()
            for _ in range(count)
            if stamp not in self._leading or stamp > self._first_shown
        )

    def span(self, stamps: list[int], stream: VideoStream) -> str:
        """Say from when to when these time stamps are; nothing if that is not known."""
        if not stamps or self._first_shown is None or not stream.time_base:
            return ""
        first, last = (
            float((stamp - self._first_shown) * stream.time_base) for stamp in (stamps[0], stamps[-1])
        )
        if first < 0:
            return ""
        return f" (at {first:.2f} s)" if last - first < 0.01 else f" (from {first:.2f} to {last:.2f} s)"

    def end(self, stream: VideoStream) -> float | None:
        """Return the time stamp in seconds up to which packets were read; None without time stamps."""
        if self._end is None or not stream.time_base:
            return None
        return float(self._end * stream.time_base)

    def seconds(self, stream: VideoStream, interval: float) -> float | None:
        """Return up to which second packets were read, from the first one; None without time stamps."""
        if self._first is None or self._end is None or not stream.time_base:
            return None
        return max(float((self._end - self._first) * stream.time_base), interval)
