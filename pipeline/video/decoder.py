"""Decode the first video stream of a file with libav, and note what is damaged on the way."""

from __future__ import annotations

import itertools
import math
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from ...errors import InputError
from .damage import DamageRecord
from .picture_size import DECODER_OPTIONS, objection_of_libav, objection_to_size
from .reach import Reach
from .soundness import Soundness
from .source import allowed_formats
from .time_stamps import DecodingOrder
from .whole_file import is_whole

DEFAULT_RATE = 25.0  # frames per second, if a stream states none
_HIGHEST_MEAN = 300.0  # frames per second: DV files state their time base in place of their mean rate
_WITH_HIDDEN_PICTURES = ("vp8", "vp9", "av1")  # some packets of these codecs are not meant to be shown
_NO_TIME_STAMPS = 0x80  # AVFMT_NOTIMESTAMPS of libav
_SHAPE_TOLERANCE = 0.02
_AHEAD = 3  # packets that are read before one is decoded
_JOINED = 1.0  # seconds between the time stamps of two recordings that were joined, or a step back

AnyPacket: TypeAlias = "Packet[VideoStream]"
"""A packet of the video."""


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
        self._container = _open(path)
        try:
            self.stream = _first_video(path, self._container.streams)
            codec = self.stream.codec_context
            codec.options = DECODER_OPTIONS
            objection = objection_to_size(codec.width, codec.height)
            if objection is not None:
                raise InputError(f"cannot read {path}: {objection}")
            # With several threads, libav's decoders lose some marks of damage: by frame it depends on which
            # thread is first, and by slice damage is not concealed.
            self.stream.thread_type = "NONE"
            self.untimed = bool(self._container.format.flags & _NO_TIME_STAMPS)
            self.rate = _rate(self.stream, untimed=self.untimed)
            self._record = DamageRecord()
            self._reach = Reach()
            self._count = self._errors = 0
            self._readable, self._blocked = True, False
            self._soundness = Soundness(self.stream)
            self._rest = self._decode()
            first = next(self._rest, None)
            if first is None:
                reason = objection_of_libav(path, _options()) or "no frame of its video can be decoded"
                raise InputError(f"cannot read {path}: {reason}")
            self.first = first
        except BaseException:
            self.close()
            raise

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in the order in which they are shown."""
        return itertools.chain((self.first,), self._rest)

    def _decode(self) -> Iterator[Picture]:
        stream = self.stream
        order = DecodingOrder(by_decoding=self._container.format.name == "avi")
        soundness = self._soundness
        for packet, following in _with_following(self._packets(), _AHEAD):
            if packet.size:
                joined = any(_begins_anew(packet, other) for other in following)
                if soundness.packet(packet, joined=joined, following=following):
                    self._reach.read(packet, stream)
                if not packet.is_discard:
                    order.sent(packet.pts, packet.dts)
            for picture in self._pictures_of(packet):
                self._reach.shown(picture.pts)
                damaged = self._note(picture, *soundness.picture(picture))
                stamp = order.shown(picture.pts, reorders=bool(stream.codec_context.has_b_frames))
                seconds = None
                if stamp is not None and picture.time_base is not None and not self.untimed:
                    seconds = float(stamp * picture.time_base)
                yield Picture(picture, seconds, damaged)
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

    def _pictures_of(self, packet: AnyPacket) -> Iterator[av.VideoFrame]:
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
            return
        yield from pictures

    def _note(self, picture: av.VideoFrame, corrupt: bool, behind_gap: bool) -> bool:
        """Note what is wrong with a picture; return whether anything is."""
        if self._count == 0:
            self._shape = picture.width / picture.height
        reshaped = abs(picture.width / picture.height / self._shape - 1) > _SHAPE_TOLERANCE
        record = self._record
        for wrong, frames in (
            (corrupt, record.corrupt),
            (behind_gap, record.behind_gaps),
            (reshaped, record.reshaped),
        ):
            if wrong:
                frames.append(self._count)
        return corrupt or behind_gap or reshaped

    def announced_duration(self) -> float | None:
        """Return the seconds of the video stream as the file states them, or None."""
        stream, container = self.stream, self._container
        if stream.duration and stream.duration > 0 and stream.time_base:
            return float(stream.duration * stream.time_base)
        if (seconds := _seconds(stream.metadata.get("DURATION", ""))) is not None:
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
        lost = self._reach.lost(hidden=self.stream.codec.name in _WITH_HIDDEN_PICTURES)
        if count := max(
            len(lost) + max(self._reach.without_place, 0) + self._reach.left_out_alone(), self._errors
        ):
            where = self._reach.span(sorted(lost + self._reach.misplaced()), self.stream)
            record.reasons.append(f"{count} of its {self._reach.packets} packets could not be decoded{where}")
        if missing := self._soundness.missing():
            pictures = "1 picture is" if missing == 1 else f"{missing} pictures are"
            record.reasons.append(f"{pictures} missing between others")
        announced, end = self.announced_duration(), self._reach.seconds(self.stream, 1 / self.rate)
        if not self.stream.duration and "DURATION" in self.stream.metadata:  # Matroska's counts from 0
            end = self._reach.end(self.stream)
        # The duration of a file with several streams may be that of its sound.
        alone = (
            self.stream.duration or "DURATION" in self.stream.metadata or len(self._container.streams) == 1
        )
        if (
            announced
            and alone
            and end is not None
            and not is_whole(self._path)
            and announced - end > max(0.25, 3 / self.rate)
        ):
            record.reasons.append(f"it breaks off at {end:.2f} s of the {announced:.2f} s that it announces")
        elif not self._readable:
            record.reasons.append("the rest of the file cannot be read")
        return record

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _with_following(packets: Iterator[AnyPacket], count: int) -> Iterator[tuple[AnyPacket, list[AnyPacket]]]:
    """Yield each packet with up to `count` of those that follow it."""
    held: deque[AnyPacket] = deque()
    for packet in packets:
        held.append(packet)
        if len(held) > count:
            yield held.popleft(), list(held)
    while held:
        yield held.popleft(), list(held)


def _begins_anew(packet: AnyPacket, following: AnyPacket) -> bool:
    """Whether a joined recording begins with the second of two packets."""
    if not following.is_keyframe or packet.dts is None or following.dts is None or not packet.time_base:
        return False
    return not 0 <= (following.dts - packet.dts) * packet.time_base < _JOINED


def _open(path: Path) -> InputContainer:
    try:
        # "file:" so that a name is not taken for a URL.
        # Tags are free text, often in other encodings than UTF-8.
        return av.open(f"file:{path}", "r", options=_options(), metadata_errors="replace")
    except FileNotFoundError:
        raise InputError(f"cannot read {path}: there is no such file") from None
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"cannot read {path}: it is not a video, or too damaged to open ({_reason(error)})"
        ) from error


def _options() -> dict[str, str]:
    # The lists, so that no other file or device is opened.
    return {"protocol_whitelist": "file", "format_whitelist": allowed_formats(), **DECODER_OPTIONS}


def _first_video(path: Path, streams: av.container.streams.StreamContainer) -> VideoStream:
    found = [stream for stream in streams.video if not stream.disposition & Disposition.attached_pic]
    if found:
        # AVIF and HEIF sequences begin with a stream of one picture.
        moving = [stream for stream in found if stream.frames > 1]
        stream = moving[0] if found[0].frames == 1 and moving else found[0]
        if stream.codec_context is None:
            raise InputError(f"cannot read {path}: its video codec is unknown")
        return stream
    what = "only sound" if streams.audio else "no video"
    raise InputError(f"cannot read {path}: it holds {what}")


def _rate(stream: VideoStream, *, untimed: bool) -> float:
    """Return the frame rate that a stream states.

    The mean rate is libav's 25 for raw streams, whatever their pictures say, and the time base for DV. For
    these the rate that libav guesses from the pictures is right.
    """
    mean, guessed = float(stream.average_rate or 0), float(stream.guessed_rate or 0)
    of_pictures = float(stream.codec_context.framerate or 0)
    rates = [mean, guessed]
    if untimed or mean > _HIGHEST_MEAN:
        rates = [of_pictures if untimed else 0.0, guessed, mean]
    return next((rate for rate in rates if 0 < rate < math.inf), DEFAULT_RATE)


def _seconds(text: str) -> float | None:
    """Return the seconds of hours:minutes:seconds, as Matroska's tags state them; None for other texts."""
    match = re.fullmatch(r"\s*(\d{1,6}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,12}))?\s*", text, re.ASCII)
    if match is None:
        return None
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    total = 3600 * hours + 60 * minutes + seconds + float(f"0.{match[4] or 0}")
    return total or None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
