"""Read frames from a camera in the network. If the connection breaks off, it is opened again."""

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

_PROTOCOLS = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "srt", "rtp")
_PATIENCE = 10.0  # seconds to wait for a stream to open, for its next frame, and for it to come back
_PAUSE = 0.5  # seconds between two attempts to open it again


class Stream:
    """A stream from the network, read with PyAV. Times are those at which frames arrive.

    If a camera's connection breaks off, it is opened again for ten seconds. A file that a server sends has an
    end.

    Args:
        url: The address.
        report: Called with a line when the stream breaks off, and when it is back.

    Raises:
        UsageError: The protocol of the URL is not known.
        InputError: There is no such stream, or it gives no picture.
    """

    path: Path | None = None
    rate: float | None
    first: Image | None

    def __init__(self, url: str, report: Report = no_report) -> None:
        self._protocol = url.partition("://")[0].lower()
        if self._protocol not in _PROTOCOLS:
            raise UsageError(f"--camera reads {', '.join(_PROTOCOLS)} streams, found {self._protocol}://")
        self.name, self._report, self._closed = url, report, False
        self._picture = self._open()
        self.size = (self._picture.width, self._picture.height)
        self.rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self.first = self._image(self._picture)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as they come. Raises `InputError` if the stream breaks off and stays away."""
        begin, index = time.monotonic(), 0
        picture: av.VideoFrame | None = self._picture
        while picture is not None:
            yield Frame(index, time.monotonic() - begin, self._image(picture))
            index += 1
            picture = self._next(index)

    def close(self) -> None:
        """Close the stream."""
        self._closed = True
        self._container.close()

    def _open(self) -> av.VideoFrame:
        """Open the stream and return its first picture."""
        options = DECODER_OPTIONS | ({"rtsp_transport": "tcp"} if self._protocol.startswith("rtsp") else {})
        try:
            self._container = av.open(self.name, timeout=_PATIENCE, options=options)
            self._stream = self._container.streams.video[0]
            self._stream.codec_context.options = DECODER_OPTIONS
            self._decoded = self._container.decode(self._stream)
            return next(self._decoded)
        except (av.error.FFmpegError, OSError, IndexError, StopIteration) as error:
            reason = one_line(error) if str(error) else "no picture"
            raise InputError(f"{self.name} cannot be read as a video stream ({reason})") from error

    def _next(self, count: int) -> av.VideoFrame | None:
        """Return the next picture; None at the end of a file. `count` frames were read so far."""
        reason = "it ended"
        try:
            return next(self._decoded)
        except StopIteration:
            if self._container.duration or self._closed:
                return None
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or one_line(error)
        if self._closed:
            return None
        self._report(f"{self.name} broke off after {count} frames ({reason}); it is opened again …")
        return self._reopened(count, reason)

    def _reopened(self, count: int, reason: str) -> av.VideoFrame | None:
        self._container.close()
        end = time.monotonic() + _PATIENCE
        while not self._closed:
            try:
                picture = self._open()
            except InputError as error:
                if time.monotonic() > end:
                    raise InputError(
                        f"{self.name} broke off after {count} frames ({reason}) and did not come back within "
                        f"{_PATIENCE:g} seconds"
                    ) from error
                time.sleep(_PAUSE)
            else:
                self._report(f"{self.name} is back")
                return picture
        return None

    def _image(self, picture: av.VideoFrame) -> Image:
        return cast(Image, picture.to_ndarray(format="rgb24", width=self.size[0], height=self.size[1]))
