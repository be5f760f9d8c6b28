"""Read a video frame by frame: upright, in true colours, with its own time stamps."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ...detectors.people import Image
from ...errors import InputError, UsageError
from ...files import file_digest
from ..picture_files import is_sequence
from .source import allowed_formats, check_source

DEFAULT_RATE = 25.0  # frames per second, if a stream states none
PQ = 16  # the transfer characteristic SMPTE ST 2084, which HDR10 and Dolby Vision use


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: Number of the decoded frame, from 0.
        time: Seconds after the first decoded frame.
        image: (H, W, 3) uint8, RGB, upright, square pixels.
    """

    index: int
    time: float
    image: Image


@dataclass(frozen=True)
class Orientation:
    """The steps that turn a decoded picture upright, in this order.

    Attributes:
        transpose: Swap x and y.
        flip_x: Mirror along x.
        flip_y: Mirror along y.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Make it of libav's display matrix, nine int32 numbers a b u, c d v, x y w.

        The matrix moves a point (p, q) to (a·p + c·q, b·p + d·q). Rotations are rounded to multiples of 90°.
        """
        a, b, _, c, d = np.frombuffer(matrix, np.int32, count=5).tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @classmethod
    def of(cls, picture: av.VideoFrame) -> Orientation:
        """Make it of the display matrix of a decoded picture."""
        try:
            matrix = cast("SideData | None", picture.side_data.get("DISPLAYMATRIX"))
        except ValueError:  # PyAV does not know some kinds of side data (EXIF), and then returns none at all
            clockwise = round(-picture.rotation / 90) % 4
            return (cls(), cls(True, True, False), cls(False, True, True), cls(True, False, True))[clockwise]
        return cls() if matrix is None else cls.from_display_matrix(bytes(matrix))

    @property
    def mirrored(self) -> bool:
        """Whether the picture is mirrored (left to right) before it is rotated."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def rotation(self) -> int:
        """Clockwise rotation of the picture: 0, 90, 180 or 270 degrees."""
        sign = -1 if self.mirrored else 1  # direction of the picture's own x axis
        if self.transpose:
            return 270 if (sign < 0) ^ self.flip_y else 90
        return 180 if (sign < 0) ^ self.flip_x else 0

    def apply(self, image: Image) -> Image:
        """Turn an image upright.

        Args:
            image: (H, W, 3), contiguous.
        """
        if self.transpose:
            image = cast(Image, cv2.transpose(image))
        if self.flip_x or self.flip_y:
            image = cast(Image, cv2.flip(image, -1 if self.flip_x and self.flip_y else int(self.flip_x)))
        return image


class Clock:
    """Convert a file's time stamps to seconds after the first frame, strictly increasing.

    A frame without a time stamp follows one frame interval after the frame before. A time stamp that is not
    later than the one before, by less than a second, is moved to a tenth of an interval after it. A time
    stamp that is earlier by more begins a new count, as in files that were joined; it continues after the
    last frame.

    Args:
        interval: Seconds from frame to frame.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.time: float | None = None
        self._zero = 0.0

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
        self.time = time if time > self.time else self.time + 0.1 * self.interval
        return self.time


class Video:
    """An open video; `open_video` makes it.

    Attributes:
        path: The file.
        size: Width and height in pixels of every upright frame. If the file's pixels are not square, the
            width is scaled; a stream that changes its size is scaled to its first one.
        rotation: Clockwise rotation that turns the frames upright, in degrees.
        mirrored: Whether the frames are mirrored before they are rotated.
        rate: Mean frames per second.
        duration: Seconds as the file states them, or None.
        frame_count: Number of frames, stated or estimated, for progress bars; or None.
        times: Seconds of all frames that `frames` has decoded so far, also before `start`. `times[n]` belongs
            to frame n; 0 is the time stamp of the first decoded frame.
        damaged: What could not be decoded, as a clause, or None. Known when `frames` has reached the end of
            the file.
        fps: Frames per second by which frames are timed instead of by the file's time stamps, or None.
    """

    def __init__(self, path: str | os.PathLike[str], fps: float | None = None) -> None:
        check_source(path)
        self.path = Path(path)
        self.fps = fps
        self.times: list[float] = []
        self.damaged: str | None = None
        self._decoder: _Decoder | None = _Decoder(self.path)
        stream, first = self._decoder.stream, self._decoder.first
        self.rate = float(fps or stream.average_rate or stream.guessed_rate or DEFAULT_RATE)
        self.duration = self._decoder.announced_duration()
        self.frame_count: int | None = stream.frames or None
        if self.frame_count is None and self.duration is not None:
            self.frame_count = max(1, round(self.duration * self.rate))
        self._orientation = Orientation.of(first)
        self.rotation, self.mirrored = self._orientation.rotation, self._orientation.mirrored
        self._decoded_size = _square(first.width, first.height, stream.sample_aspect_ratio)
        width, height = self._decoded_size
        self.size = (height, width) if self._orientation.transpose else (width, height)

    def frames(self, *, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
        """Decode the video and yield the frames with start ≤ time < end.

        Frames before `start` are decoded and counted, so that `index` and `time` are right, but not
        converted. Frames are not kept, and each call begins at the first frame.

        Args:
            start: Seconds.
            end: Seconds; None for the end of the video.

        Raises:
            UsageError: There is no frame between start and end.
        """
        if not start >= 0:
            raise UsageError(f"a video cannot start at {start:g} s")
        if end is not None and not end > start:
            raise UsageError(f"no frame can lie between {start:g} s and {end:g} s")
        return self._frames(start, end)

    def _frames(self, start: float, end: float | None) -> Iterator[Frame]:
        decoder, self._decoder = self._decoder or _Decoder(self.path), None
        self.times, self.damaged = [], None
        times, clock, found = self.times, Clock(1 / self.rate), False
        with closing(decoder):
            for picture in decoder.pictures():
                time = clock.tick(_stamp(picture)) if self.fps is None else len(times) / self.fps
                if end is not None and time >= end:
                    break
                times.append(time)
                if time >= start:
                    found = True
                    yield Frame(len(times) - 1, time, self._image(picture))
            else:
                self.damaged = decoder.damage(times[-1] + 1 / self.rate, self.rate)
        if not found:
            raise self._no_frame(start)

    def _no_frame(self, start: float) -> UsageError:
        end = self.times[-1] if self.times else 0.0
        return UsageError(f"{self.path} has no frame from {start:g} s on: it ends at {end:.2f} s")

    def _image(self, picture: av.VideoFrame) -> Image:
        width, height = self._decoded_size
        image = cast(Image, picture.reformat(width, height, "rgb24").to_ndarray())
        if picture.color_trc == PQ:
            image = cast(Image, cv2.LUT(image, _pq_to_standard()))
        return self._orientation.apply(image)

    def digest(self) -> str:
        """Return the sha256 of the file."""
        return video_digest(self.path)

    def close(self) -> None:
        """Close the file; the attributes stay."""
        if self._decoder is not None:
            self._decoder.close()


@contextmanager
def open_video(path: str | os.PathLike[str], *, fps: float | None = None) -> Iterator[Video]:
    """Open the first video stream of a file, or a sequence of pictures. Cover pictures do not count.

    Args:
        path: A video, a folder of pictures, or the name of pictures as frame-%04d.jpg or *.jpg.
        fps: Frames per second, if the file's time stamps are wrong. Pictures have none: their default is 25.

    Raises:
        InputError: There is no such file, it is not a video, it holds only sound, or no frame of it can be
            decoded.
    """
    if is_sequence(Path(path)):
        from .pictures import PictureSequence  # loads Pillow

        yield PictureSequence(Path(path), fps)
        return
    with closing(Video(path, fps)) as video:
        yield video


def video_digest(path: Path) -> str:
    """Return the sha256 of a video, or of the pictures of a sequence.

    Raises:
        InputError: A file cannot be read.
    """
    if is_sequence(path):
        from .pictures import digest_of  # loads Pillow

        return digest_of(path)
    return file_digest(path)


class _Decoder:
    """libav's decoder of the first video stream of a file; the first picture is decoded already."""

    def __init__(self, path: Path) -> None:
        # "file:" so that a name is not taken for a URL; the lists, so that no other file or device is opened
        options = {"protocol_whitelist": "file", "format_whitelist": allowed_formats()}
        try:
            self._container = av.open(f"file:{path}", "r", options=options)
        except FileNotFoundError:
            raise InputError(f"cannot read {path}: there is no such file") from None
        except (av.FFmpegError, OSError) as error:
            raise InputError(
                f"cannot read {path}: it is not a video, or too damaged to open ({_reason(error)})"
            ) from error
        try:
            self.stream = _first_video(path, self._container.streams)
            self.stream.thread_type = "AUTO"
            self._errors = 0
            self._rest = self._decode()
            first = next(self._rest, None)
            if first is None:
                raise InputError(f"cannot read {path}: no frame of its video can be decoded")
            self.first = first
        except BaseException:
            self.close()
            raise

    def pictures(self) -> Iterator[av.VideoFrame]:
        return itertools.chain((self.first,), self._rest)

    def _decode(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:  # the rest of the file cannot be read
                self._errors += 1
                return
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                self._errors += 1
                # A half decoded picture would block later packets; decoding continues at the next key frame.
                self.stream.codec_context.flush_buffers()
                continue
            yield from pictures

    def announced_duration(self) -> float | None:
        """Return the seconds of the video stream as the file states them, or None."""
        stream, container = self.stream, self._container
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if tag := stream.metadata.get("DURATION"):  # Matroska, per stream: hours:minutes:seconds
            hours, minutes, seconds = (float(part) for part in tag.split(":"))
            return 3600 * hours + 60 * minutes + seconds
        return container.duration / av.time_base if container.duration else None

    def damage(self, end: float, rate: float) -> str | None:
        """Return what is wrong with a file that was decoded up to `end` seconds, as a clause, or None."""
        if self._errors:
            return f"{self._errors} of its packets could not be decoded"
        announced = self.announced_duration()
        stream = self.stream
        # The duration of a file with several streams may be that of its sound.
        alone = stream.duration or "DURATION" in stream.metadata or len(self._container.streams) == 1
        if announced and alone and announced - end > max(0.25, 3 / rate):
            return f"it breaks off at {end:.2f} s of the {announced:.2f} s that it announces"
        return None

    def close(self) -> None:
        self._container.close()


def _first_video(path: Path, streams: av.container.streams.StreamContainer) -> VideoStream:
    for stream in streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise InputError(f"cannot read {path}: its video codec is unknown")
            return stream
    what = "only sound" if streams.audio else "no video"
    raise InputError(f"cannot read {path}: it holds {what}")


def _square(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size at which pixels of this sample aspect ratio (width : height) become square."""
    if not aspect or not 0.1 < aspect < 10:  # absent or impossible
        return width, height
    return max(1, round(width * aspect)), height


def _stamp(picture: av.VideoFrame) -> float | None:
    if picture.pts is None or picture.time_base is None:
        return None
    return float(picture.pts * picture.time_base)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@cache
def _pq_to_standard() -> NDArray[np.uint8]:
    """(256,) uint8: table from PQ codes to ordinary codes, so that HDR video does not look grey.

    203 cd/m², HDR's reference white (ITU-R BT.2408), becomes 80 % of white; brighter light is compressed.
    """
    code = np.linspace(0, 1, 256) ** (32 / 2523)  # ST 2084's inverse curve, m2 = 2523/32
    light = (np.maximum(code - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * code)) ** (16384 / 2610)
    light *= 10000 / 203
    knee = 0.6
    excess = np.maximum(light - knee, 0)
    rolled = np.minimum(light, knee) + (1 - knee) * excess / (excess + (1 - knee))
    return np.rint(255 * rolled ** (1 / 2.2)).astype(np.uint8)
