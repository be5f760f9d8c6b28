"""Read a video frame by frame: upright, in true colours, with its own time stamps."""

from __future__ import annotations

import os
from array import array
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Image
from ...errors import InputError, UsageError
from ...files import file_digest
from ..option_types import check_turn
from ..picture_files import is_sequence
from .damage import Damage
from .decoder import Decoder
from .orientation import Orientation
from .picture_size import objection_to_size
from .source import check_source
from .time_stamps import Clock

_ASPECTS = (1 / 3, 3)  # of a pixel: others are wrong statements
_MOST_FRAMES = 2  # times the frames that rate and duration give: a larger stated number is wrong
PQ = 16  # the transfer characteristic SMPTE ST 2084, which HDR10 and Dolby Vision use


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: Number of the decoded frame, from 0.
        time: Seconds after the first decoded frame.
        image: (H, W, 3) uint8, RGB, upright, square pixels.
        damaged: Whether the picture shows something else than was filmed, because the file is damaged.
    """

    index: int
    time: float
    image: Image
    damaged: bool = False


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
        damaged: What is damaged; None if nothing is. It is complete when `frames` has ended.
        fps: Frames per second by which frames are timed instead of by the file's time stamps, or None.
        rotate: Degrees clockwise by which the user turns the frames, beside what the file says.
    """

    def __init__(self, path: str | os.PathLike[str], fps: float | None = None, rotate: int = 0) -> None:
        check_turn(rotate)
        check_source(path)
        self.path = Path(path)
        self.fps = fps
        self.rotate = rotate
        self.times: array[float] = array("d")
        self.damaged: Damage | None = None
        self._decoder: Decoder | None = Decoder(self.path)
        stream, first = self._decoder.stream, self._decoder.first.picture
        self.rate = self._decoder.rate if fps is None else fps
        self.duration = self._decoder.announced_duration()
        self.frame_count: int | None = stream.frames or None
        if self.duration is not None:
            expected = max(1, round(self.duration * self._decoder.rate))
            if self.frame_count is None or self.frame_count > _MOST_FRAMES * expected:
                self.frame_count = expected
        self._orientation = Orientation.of(first).turned(rotate)
        self.rotation, self.mirrored = self._orientation.rotation, self._orientation.mirrored
        self._decoded_size = _square(first.width, first.height, stream.sample_aspect_ratio)
        width, height = self._decoded_size
        if objection := objection_to_size(width, height):
            self.close()
            raise InputError(f"cannot read {path}: {objection}")
        self.size = (height, width) if self._orientation.transpose else (width, height)

    def frames(
        self, *, start: float = 0.0, end: float | None = None, first: int = 0
    ) -> Generator[Frame, None, None]:
        """Decode the video and yield the frames with start ≤ time < end.

        Frames before `start` and `first` are decoded and counted, so that `index` and `time` are right, but
        not converted. Frames are not kept, and each call begins at the first frame.

        Args:
            start: Seconds.
            end: Seconds; None for the end of the video.
            first: Frames of a lower number are not yielded.

        Raises:
            UsageError: There is no frame between start and end.
        """
        if not start >= 0:
            raise UsageError(f"a video cannot start at {start:g} s")
        if end is not None and not end > start:
            raise UsageError(f"no frame can lie between {start:g} s and {end:g} s")
        return self._frames(start, end, first)

    def _frames(self, start: float, end: float | None, first: int) -> Generator[Frame, None, None]:
        decoder, self._decoder = self._decoder or Decoder(self.path), None
        self.times, self.damaged = array("d"), None
        times, clock, found, finished = self.times, Clock(1 / self.rate), False, False
        with closing(decoder):
            for picture in decoder.pictures():
                time = clock.tick(picture.stamp) if self.fps is None else len(times) / self.fps
                if end is not None and time >= end:
                    break
                times.append(time)
                if time >= start:
                    found = True
                    if len(times) > first:
                        yield Frame(len(times) - 1, time, self._image(picture.picture), picture.damaged)
            else:
                finished = True
            self.damaged = decoder.record(finished=finished).damage()
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
def open_video(path: str | os.PathLike[str], *, fps: float | None = None, rotate: int = 0) -> Iterator[Video]:
    """Open the first video stream of a file, or a sequence of pictures. Cover pictures do not count.

    Args:
        path: A video, a folder of pictures, or the name of pictures as frame-%04d.jpg or *.jpg.
        fps: Frames per second, if the file's time stamps are wrong. Pictures have none: their default is 25.
        rotate: Degrees clockwise to turn the frames by, 0, 90, 180 or 270, if the file does not say it.

    Raises:
        InputError: There is no such file, it is not a video, it holds only sound, or no frame of it can be
            decoded.
        UsageError: `rotate` is another number.
    """
    if is_sequence(Path(path)):
        from .pictures import PictureSequence  # loads Pillow

        yield PictureSequence(Path(path), fps, rotate)
        return
    with closing(Video(path, fps, rotate)) as video:
        yield video


def reopen_video(path: str | os.PathLike[str], about: Mapping[str, Any]) -> AbstractContextManager[Video]:
    """Open a video as it was opened for a pose table.

    Args:
        path: The video.
        about: The table's `meta`.

    Raises:
        InputError: See `open_video`.
    """
    recorded = about.get("video") or {}
    return open_video(path, fps=recorded.get("fps"), rotate=recorded.get("rotate", 0))


def video_digest(path: Path) -> str:
    """Return the sha256 of a video, or of the pictures of a sequence.

    Raises:
        InputError: A file cannot be read.
    """
    if is_sequence(path):
        from .pictures import digest_of  # loads Pillow

        return digest_of(path)
    return file_digest(path)


def _square(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size at which pixels of this sample aspect ratio (width : height) become square."""
    if not aspect or not _ASPECTS[0] <= aspect <= _ASPECTS[1]:  # absent or impossible
        return width, height
    return max(1, round(width * aspect)), height


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
