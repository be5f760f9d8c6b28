"""Read frames from the network: of a camera, opened again if it breaks off, or of a server's file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av

from ...detectors.people import Image
from ...errors import InputError, UsageError, one_line
from ..progress import Report, no_report
from ..video.picture_size import DECODER_OPTIONS
from ..video.reader import Frame
from .closing import Closing
from .pace import at_their_times

_PROTOCOLS = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "srt", "rtp")
_PATIENCE = 10.0  # seconds to wait for a stream to open, for its next frame, and for it to come back
_PAUSE = 0.5  # seconds between two attempts to open it again
_USUAL_RATE = 30.0  # frames per second of a file that does not tell


class Stream:
    """A camera's stream, or a file that a server sends, read with PyAV. A file tells how long it is.

    Times of a camera are those at which frames arrive; if its connection breaks off, it is opened again for
    ten seconds. Times of a file are its own. It has an end, and is never begun again.

    Args:
        url: The address.
        report: Called with a line when the stream breaks off, and when it is back.
        paced: Yield each frame of a file at its time. Otherwise as fast as frames are wanted.

    Raises:
        UsageError: The protocol of the URL is not known.
        InputError: There is no such stream, or it gives no picture.
    """

    path: Path | None = None
    rate: float | None
    first: Image | None

    def __init__(self, url: str, report: Report = no_report, *, paced: bool = True) -> None:
        self._protocol = url.partition("://")[0].lower()
        if self._protocol not in _PROTOCOLS:
            raise UsageError(f"--camera reads {', '.join(_PROTOCOLS)} streams, found {self._protocol}://")
        self.name, self._report = url, report
        # The container is a new one after every break, so it is looked up when it is closed.
        self._closing = Closing(lambda: self._container.close())
        self._picture = self._open()
        self.size = (self._picture.width, self._picture.height)
        self.rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self._paced = paced
        self._length = _seconds(self._container)
        self.first = self._image(self._picture) if self._length is None else None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as they come, those of a file at their times.

        Raises:
            InputError: A camera breaks off and stays away, or a file breaks off.
        """
        if self._length is None:
            frames = self._of_camera()
        else:
            frames = at_their_times(self._of_file()) if self._paced else self._of_file()
        try:
            yield from frames
        finally:
            self._closing.finish()

    def _of_file(self) -> Iterator[Frame]:
        """Yield the frames with their time stamps; where these do not tell a time, the frame rate does."""
        usual, index, seconds = 1 / (self.rate or _USUAL_RATE), 0, 0.0
        picture: av.VideoFrame | None = self._picture
        last = self._picture.time
        while picture is not None:
            if index:
                step = None if picture.time is None or last is None else picture.time - last
                seconds += step if step is not None and 0 < step < _PATIENCE else usual
            yield Frame(index, seconds, self._image(picture))
            index, last = index + 1, picture.time
            picture = self._next_of_file(index, seconds + usual)

    def _next_of_file(self, count: int, seconds: float) -> av.VideoFrame | None:
        """Return the next picture; None at the end. `count` frames were read so far, that last `seconds`."""
        assert self._length is not None
        try:
            return self._read()
        except StopIteration:
            if self._closing.closed.is_set() or seconds > 0.9 * self._length - 1:  # the sound may be longer
                return None
            reason = "it ended"
        except (av.error.FFmpegError, OSError) as error:
            if self._closing.closed.is_set():
                return None
            reason = error.strerror or one_line(error)
        raise InputError(
            f"{self.name} broke off after {count} frames, {seconds:.1f} of {self._length:.1f} seconds "
            f"({reason}); download the file, and give its path to --camera"
        )

    def _of_camera(self) -> Iterator[Frame]:
        begin, index = time.monotonic(), 0
        picture: av.VideoFrame | None = self._picture
        while picture is not None:
            yield Frame(index, time.monotonic() - begin, self._image(picture))
            index += 1
            picture = self._next(index)

    def close(self) -> None:
        """Close the stream, as soon as no thread reads it."""
        self._closing.close()

    def _read(self) -> av.VideoFrame:
        with self._closing.reading:  # libav must not be closed while it reads
            if self._closing.closed.is_set():
                raise StopIteration
            return next(self._decoded)

    def _open(self) -> av.VideoFrame:
        """Open the stream and return its first picture."""
        options = DECODER_OPTIONS | ({"rtsp_transport": "tcp"} if self._protocol.startswith("rtsp") else {})
        try:
            self._container = av.open(self.name, timeout=_PATIENCE, options=options)
        except (av.error.FFmpegError, OSError) as error:
            raise self._unreadable(error) from error
        try:
            self._stream = self._container.streams.video[0]
            self._stream.codec_context.options = DECODER_OPTIONS
            self._decoded = self._container.decode(self._stream)
            return next(self._decoded)
        except (av.error.FFmpegError, OSError, IndexError, StopIteration) as error:
            self._container.close()
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InputError:
        reason = one_line(error) if str(error) else "no picture"
        return InputError(f"{self.name} cannot be read as a video stream ({reason})")

    def _next(self, count: int) -> av.VideoFrame | None:
        """Return the camera's next picture; None if it is closed. `count` frames were read so far."""
        reason = "it ended"
        try:
            return self._read()
        except StopIteration:
            pass
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or one_line(error)
        if self._closing.closed.is_set():
            return None
        self._report(f"{self.name} broke off after {count} frames ({reason}); it is opened again …")
        return self._reopened(count, reason)

    def _reopened(self, count: int, reason: str) -> av.VideoFrame | None:
        self._container.close()
        end = time.monotonic() + _PATIENCE
        while not self._closing.closed.is_set():
            try:
                with self._closing.reading:
                    picture = self._open()
            except InputError as error:
                if time.monotonic() > end:
                    raise InputError(
                        f"{self.name} broke off after {count} frames ({reason}) and did not come back within "
                        f"{_PATIENCE:g} seconds"
                    ) from error
                self._closing.closed.wait(_PAUSE)
            else:
                self._report(f"{self.name} is back")
                return picture
        return None

    def _image(self, picture: av.VideoFrame) -> Image:
        return cast(Image, picture.to_ndarray(format="rgb24", width=self.size[0], height=self.size[1]))


def _seconds(container: av.container.InputContainer) -> float | None:
    """Return the length of a file; None of a camera's stream, which has none."""
    duration = container.duration
    return duration / av.time_base if duration is not None and duration > 0 else None
