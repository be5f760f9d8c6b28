"""Read frames from a camera of this machine, or from a video file that is read as if it were a camera."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, cast

import cv2

from ...detectors.people import Image
from ...errors import InputError
from ..progress import Report, no_report
from ..video.reader import Frame, open_video
from .closing import Closing
from .pace import at_their_times
from .stream import Stream

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Camera(Protocol):
    """A source of frames that is open. Its frames come at their time, also if they are not wanted.

    Attributes:
        name: What it is called in messages.
        size: Width and height of the upright frames in pixels.
        rate: Frames per second as the source states them; None if it does not.
        path: The file on this machine; None for a camera, a stream, and a server's file.
        first: The first picture of a camera or stream, upright; None of a file, also a server's.
    """

    name: str
    size: tuple[int, int]
    rate: float | None
    path: Path | None
    first: Image | None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as they come.

        Raises:
            InputError: The camera went away.
        """
        ...

    def close(self) -> None:
        """Close the source."""
        ...


def open_camera(source: str, *, paced: bool = True, report: Report = no_report) -> Camera:
    """Open a source of frames.

    Args:
        source: The number of a camera, the URL of a stream, or the path of a video file.
        paced: Yield each frame of a file at its time. Otherwise as fast as frames are wanted.
        report: Called with a line when a stream breaks off, and when it is back.

    Raises:
        InputError: There is no such camera, stream or file, or it gives no picture.
        UsageError: The protocol of the URL is not known.
    """
    if source.isdigit():
        return Device(int(source))
    if _URL.match(source):
        return Stream(source, report, paced=paced)
    return File(Path(source), paced=paced)


def name_of(source: str) -> str:
    """Return what a source of frames is called in messages, without opening it."""
    if source.isdigit():
        return f"camera {int(source)}"
    return source if _URL.match(source) else Path(source).name


class Device:
    """A camera of this machine, read with OpenCV. Times are those at which frames arrive."""

    path: Path | None = None
    rate: float | None
    first: Image | None

    def __init__(self, number: int) -> None:
        _silence_opencv()
        self.name = name_of(str(number))
        self._capture = cv2.VideoCapture(number)
        found, first = self._capture.read() if self._capture.isOpened() else (False, None)
        if first is None or not found:
            self._capture.release()
            raise InputError(
                f"{self.name} cannot be opened; check that it is connected and not used by another program, "
                "or give another number, a FILE or a URL to --camera"
            )
        height, width = first.shape[:2]
        self.size = (width, height)
        self.first = _upright(first, self.size)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 1 <= rate <= 1000 else None
        self._closing = Closing(self._capture.release)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as they come. Raises `InputError` if the camera goes away."""
        begin, index = time.monotonic(), 0
        try:
            while not self._closing.closed.is_set():
                with self._closing.reading:  # OpenCV's camera must not be released while it is read
                    found, picture = self._capture.read()
                if self._closing.closed.is_set():
                    break
                if not found:
                    raise InputError(f"{self.name} went away after {index} frames")
                yield Frame(index, time.monotonic() - begin, _upright(picture, self.size))
                index += 1
        finally:
            self._closing.finish()

    def close(self) -> None:
        """Give the camera back, as soon as no thread reads it."""
        self._closing.close()


def _silence_opencv() -> None:
    """Keep OpenCV from printing lines about a camera that is not there."""
    logging: Any = cv2.utils.logging
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)


def _upright(picture: Any, size: tuple[int, int]) -> Image:
    """A picture of OpenCV (BGR) as RGB of the expected size."""
    image: Any = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    if (image.shape[1], image.shape[0]) != size:
        image = cv2.resize(image, size)
    return cast(Image, image)


class File:
    """A video file that is read as if it were a camera. Times are those of the file.

    Args:
        path: The file.
        paced: Yield each frame at its time. Otherwise as fast as frames are wanted.
    """

    path: Path | None
    rate: float | None
    first: Image | None = None

    def __init__(self, path: Path, *, paced: bool = True) -> None:
        self._stack = ExitStack()
        self._video = self._stack.enter_context(open_video(path))
        self.path, self.name, self.size, self.rate = (
            path,
            name_of(str(path)),
            self._video.size,
            self._video.rate,
        )
        self.paced = paced

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each at its time if the file is paced."""
        frames = self._video.frames()
        return at_their_times(frames) if self.paced else frames

    def close(self) -> None:
        """Close the file."""
        self._stack.close()
