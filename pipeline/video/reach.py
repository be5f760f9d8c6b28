"""Record which packets of a file were read, and which of them gave no picture."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from .lost_places import in_holes

_DEEPEST_REORDERING = 8  # packets: how far the orders of decoding and showing are apart
_EMPTY = 16  # bytes: MPEG-4 has packets that only stand for a picture that came with another one
_JOINED = 0.5  # seconds that decoding times step back where another recording begins
_MOST_RECORDINGS = 100
_WRONG_OFFSET = 10.0  # seconds between decoding and showing a picture that only damaged files state


@dataclass
class _Recording:
    """The packets and pictures of one of the recordings that a file joins; each has its own stamps."""

    waiting: dict[int, int] = field(default_factory=dict)  # packets without a picture so far, by time stamp
    leading: set[int] = field(default_factory=set)  # stamps of the packets up to the second key frame
    key_frames: int = 0
    shown: array[int] = field(default_factory=lambda: array("q"))  # stamps of the pictures
    misplaced: list[int] = field(default_factory=list)  # when packets are decoded whose stamps are wrong

    def lost(self) -> list[int]:
        """Return the stamps of the packets that gave no picture, rising."""
        return sorted(stamp for stamp, count in self.waiting.items() for _ in range(count))


class Reach:
    """Which packets were read, and which of them gave no picture."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._end: int | None = None
        self._recordings = [_Recording()]
        self._current = -1  # the recording of the picture before; the newest one at the beginning
        self._left_out: list[int] = []  # numbers of the packets that the edit list leaves out
        self._left_out_at: dict[int, tuple[_Recording, int]] = {}  # their recordings and stamps, by number
        self._first_decoded: int | None = None
        self._last_decoded: int | None = None
        self._last_kept = 0
        self.packets = 0
        self.without_place = 0  # packets without a usable time stamp that gave no picture

    def read(self, packet: Packet[VideoStream], stream: VideoStream) -> None:
        """Note a packet that is given to the decoder."""
        stamp, decoded = packet.pts, packet.dts
        if not packet.size:
            return
        empty = _EMPTY if stream.codec.name == "mpeg4" else 1
        base = float(stream.time_base or 0)
        if decoded is not None:
            back = 0.0 if self._last_decoded is None else (self._last_decoded - decoded) * base
            if back > (0 if packet.is_keyframe else _JOINED) and len(self._recordings) < _MOST_RECORDINGS:
                self._recordings.append(_Recording())
            self._last_decoded = decoded
        recording = self._recordings[-1]
        recording.key_frames += packet.is_keyframe
        self.packets += 1
        if stamp is None:
            self.without_place += packet.size > empty
            return
        if decoded is not None:
            self._first_decoded = decoded if self._first_decoded is None else self._first_decoded
            if abs(stamp - decoded) * base > _WRONG_OFFSET:
                self.without_place += packet.is_discard
                if packet.is_discard:
                    recording.misplaced.append(decoded - self._first_decoded + (self._first or 0))
                return
        self._first = stamp if self._first is None else min(self._first, stamp)
        end = stamp + (packet.duration or 0)
        self._end = end if self._end is None else max(self._end, end)
        if packet.is_discard:
            self._left_out.append(self.packets)
            self._left_out_at[self.packets] = recording, stamp
        else:
            self._last_kept = self.packets
        if packet.size > empty and not packet.is_discard:
            recording.waiting[stamp] = recording.waiting.get(stamp, 0) + 1
            if recording.key_frames == 1:
                recording.leading.add(stamp)

    def shown(self, stamp: int | None) -> int:
        """Note a picture that came out of the decoder; return the number of its recording.

        Args:
            stamp: The stamp that the decoder gives it, which is that of its packet.
        """
        if stamp is None:
            self.without_place -= 1
            return len(self._recordings) - 1
        numbers = range(len(self._recordings) - 1, -1, -1)
        for number in (self._current, *numbers):
            waiting = self._recordings[number].waiting
            if stamp in waiting:
                waiting[stamp] -= 1
                if not waiting[stamp]:
                    del waiting[stamp]
                self._current = number % len(self._recordings)
                return self._current
        return numbers[0]

    def placed(self, recording: int, stamp: int | None) -> None:
        """Note the time stamp at which the next picture of a recording is shown."""
        shown = self._recordings[recording].shown
        shown.append(stamp if stamp is not None else shown[-1] if shown else self._first or 0)

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

    def lost(self, *, hidden: bool) -> int:
        """Return how many packets with a place gave no picture.

        Pictures that are stored after the first key frame and shown before it do not count: a recording that
        begins in the middle of a broadcast lacks what they are predicted from.

        Args:
            hidden: Whether the codec has packets that are not meant to be shown.
        """
        return 0 if hidden else sum(len(self._lost_of(recording)) for recording in self._recordings)

    def _lost_of(self, recording: _Recording) -> list[int]:
        lost = recording.lost()
        if recording is self._recordings[0] and recording.shown:
            first = recording.shown[0]
            lost = [stamp for stamp in lost if stamp not in recording.leading or stamp > first]
        return lost

    def places(self, *, hidden: bool) -> list[int]:
        """Return the frames before which the packets belong that gave no picture, rising.

        The number of frames stands for a place after the last one. Of packets whose time stamps are wrong,
        only the time of decoding is known; their place is the nearest one where a picture is missing.

        Args:
            hidden: Whether the codec has packets that are not meant to be shown.
        """
        places: list[int] = []
        before = 0
        alone = [self._left_out_at[number] for number in self._alone()]
        for recording in self._recordings:
            shown = np.sort(np.array(recording.shown, np.int64))
            lost = [] if hidden else self._lost_of(recording)
            wrong = recording.misplaced + [stamp for owner, stamp in alone if owner is recording]
            stamps = np.array(lost + in_holes(wrong, shown, lost), np.int64)
            places += (before + np.searchsorted(shown, stamps)).tolist()
            before += len(shown)
        return sorted(places)

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
