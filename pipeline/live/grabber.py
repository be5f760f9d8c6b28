"""Read a camera in a thread of its own, and drop the frames that come too fast."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from ..video.reader import Frame
from .camera import Camera


class Grabber:
    """Gives the frames of a camera, always the newest.

    While a frame is processed, at most one other waits. If a newer one comes, the one that waited is dropped
    and counted. So the delay never grows. Frames that come before the first is asked for do not count.

    Args:
        camera: The camera. A thread reads it from `start`, or from the first frame that is asked for, until
            its end or `close`.
        every_frame: Drop nothing: the camera waits until its frame is wanted. For files.
        hold_first: The camera waits until work on its first frame is done, since people are looked for
            everywhere in it, which takes as long as many frames. For files.

    Attributes:
        dropped: Number of frames dropped so far.
    """

    def __init__(self, camera: Camera, *, every_frame: bool = False, hold_first: bool = False) -> None:
        self.dropped = 0
        self._camera, self._every_frame, self._held = camera, every_frame, hold_first
        self._waiting: Frame | None = None
        self._error: Exception | None = None
        self._ended = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)

    def start(self) -> None:
        """Begin to read, so that no frames pile up in a camera before the first is asked for."""
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until the camera ends: the first is number 0, at 0 seconds.

        Raises:
            InputError: The camera went away.
        """
        if self._thread.ident is None:
            self.start()
        first: Frame | None = None
        with self._change:
            self.dropped = 0
        while True:
            with self._change:
                # A wait without end could not be interrupted from the keyboard on Windows.
                while self._waiting is None and not self._ended:
                    self._change.wait(0.2)
                frame, self._waiting = self._waiting, None
                self._change.notify_all()
                if frame is None:
                    if self._error is not None:
                        raise self._error
                    return
            first = first or frame
            yield replace(frame, index=frame.index - first.index, time=frame.time - first.time)
            if self._held:
                with self._change:
                    self._held = False
                    self._change.notify_all()

    def close(self) -> None:
        """Stop reading."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _read(self) -> None:
        error: Exception | None = None
        try:
            for frame in self._camera.frames():
                if not self._offer(frame):
                    break
        except Exception as caught:  # raised again where frames are taken
            error = caught
        with self._change:
            self._error, self._ended = error, True
            self._change.notify_all()

    def _offer(self, frame: Frame) -> bool:
        """Let a frame wait; False if frames are no longer wanted."""
        with self._change:
            if self._every_frame:
                while self._waiting is not None and not self._ended:
                    self._change.wait(0.2)
            if self._ended:
                return False
            self.dropped += self._waiting is not None
            self._waiting = frame
            self._change.notify_all()
            while self._held and not self._ended:
                self._change.wait(0.2)
            return True
