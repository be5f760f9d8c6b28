"""Decode the first video stream of a file with libav, and note what is damaged on the way."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import av
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from ...errors import InputError
from .container import container_options, first_video, open_container, seconds_of, stated_rate
from .damage import DamageRecord
from .lost_places import said
from .picture_size import DECODER_OPTIONS, objection_of_libav, objection_to_size
from .reach import Reach
from .regular_steps import regular_steps
from .soundness import Soundness
from .time_stamps import DecodingOrder
from .whole_file import is_whole

_WITH_HIDDEN_PICTURES = ("vp8", "vp9", "av1")  # some packets of these codecs are not meant to be shown
_MOST_STATED = 10**7  # frames: a larger number in a header is wrong
_NO_TIME_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS of libav
_SHAPE_TOLERANCE = 0.02
_AHEAD = 3  # packets that are read before one is decoded
_JOINED = 1.0  # seconds between the time stamps of two recordings that were joined, or a step back

AnyPacket: TypeAlias = "Packet[VideoStream]"
"""A packet of the video."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Picture:
    """One decoded picture.

    Attributes:
        picture: As libav gives it.
        stamp: Its time stamp in seconds, or None.
        damaged: Whether it shows something else than was filmed.
    """

    picture: av.VideoFrame
    stamp: float | None
    damaged: bool


@dataclass(frozen=True)
class _Shown:
    """One picture as it comes out of the decoder.

    Attributes:
        picture: As libav gives it.
        stamp: Its time stamp in units of the stream, or None.
        recording: Number of its recording, as `Reach` counts them.
        corrupt: Whether it is damaged, or predicted from a damaged one.
        behind_gap: Whether it is predicted from one that is missing.
    """

    picture: av.VideoFrame
    stamp: int | None
    recording: int
    corrupt: bool
    behind_gap: bool


class Decoder:
    """libav's decoder of the first video stream of a file; the first picture is decoded already.

    Args:
        path: The file.

    Attributes:
        stream: The video stream.
        first: The first picture.
        rate: Frames per second that the file states.
        untimed: Whether the file has no time stamps, as raw streams.

    Raises:
        InputError: See `open_video`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = open_container(path)
        try:
            self.stream = first_video(path, self._container.streams)
            codec = self.stream.codec_context
            codec.options = DECODER_OPTIONS
            objection = objection_to_size(codec.width, codec.height)
            if objection is not None:
                raise InputError(f"cannot read {path}: {objection}")
            # With several threads, libav's decoders lose some marks of damage: by frame it depends on which
            # thread is first, and by slice damage is not concealed.
            self.stream.thread_type = "NONE"
            self.untimed = bool(self._container.format.flags & _NO_TIME_STAMPS)
            self.rate = stated_rate(self.stream, untimed=self.untimed)
            self._record = DamageRecord()
            self._reach = Reach()
            self._count = self._errors = 0
            self._readable, self._blocked = True, False
            self._soundness = Soundness(self.stream)
            self._regular = regular_steps(self._container.format.name, self.stream)
            self._rest = self._placed(self._decode())
            first = next(self._rest, None)
            if first is None:
                reason = (
                    objection_of_libav(path, container_options()) or "no frame of its video can be decoded"
                )
                raise InputError(f"cannot read {path}: {reason}")
            self.first = first
        except BaseException:
            self.close()
            raise

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in the order in which they are shown."""
        return itertools.chain((self.first,), self._rest)

    def _decode(self) -> Iterator[_Shown]:
        stream = self.stream
        order = DecodingOrder(by_decoding=self._container.format.name == "avi")
        soundness, backwards = self._soundness, False
        mpeg2 = stream.codec.name in ("mpeg1video", "mpeg2video")
        for packet, following in _with_following(self._packets(), _AHEAD):
            if packet.size:
                joined = any(_begins_anew(packet, other) for other in following)
                if soundness.packet(packet, joined=joined, following=following):
                    self._reach.read(packet, stream)
                if not packet.is_discard:
                    order.sent(packet.pts, packet.dts)
                if self._regular is not None:
                    self._regular.sent(packet.dts)
            for picture in self._pictures_of(packet, order):
                recording = self._reach.shown(picture.pts)
                backwards = backwards or picture.pict_type == PictureType.B
                # libav's decoder of MPEG-1 and MPEG-2 always waits for B pictures.
                reorders = backwards if mpeg2 else bool(stream.codec_context.has_b_frames)
                stamp = order.shown(picture.pts, reorders=reorders)
                yield _Shown(picture, stamp, recording, *soundness.picture(picture))

    def _placed(self, shown: Iterator[_Shown]) -> Iterator[Picture]:
        """Yield decoded pictures with the time stamps at which they are shown."""
        regular = self._regular
        for each, following in _with_following(shown, 1 if regular else 0):
            stamp = each.stamp
            if regular is not None and stamp is not None:
                stamp = regular.place(stamp, following[0].stamp if following else None)
            self._reach.placed(each.recording, stamp)
            damaged = self._note(each)
            seconds = None
            if stamp is not None and each.picture.time_base is not None and not self.untimed:
                seconds = float(stamp * each.picture.time_base)
            yield Picture(each.picture, seconds, damaged)
            self._count += 1

    def _packets(self) -> Iterator[AnyPacket]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:  # the rest of the file cannot be read
                self._readable = False
                return
            yield packet

    def _pictures_of(self, packet: AnyPacket, order: DecodingOrder) -> Iterator[av.VideoFrame]:
        """Decode a packet.

        A half decoded picture can block the decoder. Therefore it begins anew at the first key frame after a
        packet that could not be decoded.
        """
        codec = self.stream.codec_context
        if self._blocked and packet.is_keyframe:
            with suppress(av.FFmpegError):
                yield from codec.decode(None)
            codec.flush_buffers()
            self._blocked = False
        try:
            pictures = codec.decode(packet)
        except av.FFmpegError:
            self._errors += 1
            self._blocked = True
            self._soundness.error()
            order.failed(packet.pts)
            return
        yield from pictures

    def _note(self, shown: _Shown) -> bool:
        """Note what is wrong with a picture; return whether anything is."""
        picture = shown.picture
        if self._count == 0:
            self._shape = picture.width / picture.height
        reshaped = abs(picture.width / picture.height / self._shape - 1) > _SHAPE_TOLERANCE
        record = self._record
        for wrong, frames in (
            (shown.corrupt, record.corrupt),
            (shown.behind_gap, record.behind_gaps),
            (reshaped, record.reshaped),
        ):
            if wrong:
                frames.append(self._count)
        return shown.corrupt or shown.behind_gap or reshaped

    def announced_duration(self) -> float | None:
        """Return the seconds of the video stream as the file states them, or None."""
        stream, container = self.stream, self._container
        if stream.duration and stream.duration > 0 and stream.time_base:
            return float(stream.duration * stream.time_base)
        if (seconds := seconds_of(stream.metadata.get("DURATION", ""))) is not None:
            return seconds
        return container.duration / av.time_base if container.duration and container.duration > 0 else None

    def record(self, *, finished: bool) -> DamageRecord:
        """Return what was found damaged so far.

        Args:
            finished: Whether all pictures were taken.
        """
        record = self._record
        if not finished:
            return record
        hidden = self.stream.codec.name in _WITH_HIDDEN_PICTURES
        lost = self._reach.lost(hidden=hidden)
        if count := max(
            lost + max(self._reach.without_place, 0) + self._reach.left_out_alone(), self._errors
        ):
            where = said(self._reach.places(hidden=hidden), self._count)
            record.reasons.append(f"{count} of its {self._reach.packets} packets could not be decoded{where}")
        if missing := self._soundness.missing():
            pictures = "1 picture is" if missing == 1 else f"{missing} pictures are"
            record.reasons.append(f"{pictures} missing between others")
        if self._regular is not None and (moved := self._regular.moved):
            wrong = (
                "1 time stamp is wrong, and is" if moved == 1 else f"{moved} time stamps are wrong, and are"
            )
            record.reasons.append(f"{wrong} taken from the frame rate")
        if (broken := self._broken_off()) is not None:
            record.reasons.append(broken)
        return record

    def _broken_off(self) -> str | None:
        """Return that the file ends before the end that it announces, or None."""
        stream = self.stream
        announced, end = self.announced_duration(), self._reach.seconds(stream, 1 / self.rate)
        if self._container.format.name == "avi" and 0 < stream.frames < _MOST_STATED and stream.average_rate:
            # Of a file without its index, which is at the end, libav only estimates the duration.
            announced = max(announced or 0.0, float(stream.frames / stream.average_rate))
        if not stream.duration and "DURATION" in stream.metadata:  # Matroska's counts from 0
            end = self._reach.end(stream)
        # The duration of a file with several streams may be that of its sound.
        alone = stream.duration or "DURATION" in stream.metadata or len(self._container.streams) == 1
        short = announced and alone and end is not None and announced - end > max(0.25, 3 / self.rate)
        if short and not is_whole(self._path):
            return f"it breaks off at {end:.2f} s of the {announced:.2f} s that it announces"
        return None if self._readable else "the rest of the file cannot be read"

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _with_following(items: Iterator[_Item], count: int) -> Iterator[tuple[_Item, list[_Item]]]:
    """Yield each item with up to `count` of those that follow it."""
    held: deque[_Item] = deque()
    for item in items:
        held.append(item)
        if len(held) > count:
            yield held.popleft(), list(held)
    while held:
        yield held.popleft(), list(held)


def _begins_anew(packet: AnyPacket, following: AnyPacket) -> bool:
    """Whether a joined recording begins with the second of two packets."""
    if not following.is_keyframe or packet.dts is None or following.dts is None or not packet.time_base:
        return False
    return not 0 <= (following.dts - packet.dts) * packet.time_base < _JOINED
