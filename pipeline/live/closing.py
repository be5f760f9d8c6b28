"""Close what another thread may be reading: a camera or a stream crashes if it goes away under a read."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock


class Closing:
    """Releases a source once, as soon as no thread reads it.

    The reader holds `reading` while it reads, and calls `finish` when it stops.

    Args:
        release: Releases the source; it may be called twice.

    Attributes:
        closed: Set when the source is, or is about to be, closed.
        reading: Held while the source is read.
    """

    def __init__(self, release: Callable[[], object]) -> None:
        self.closed, self.reading, self._release = Event(), Lock(), release

    def close(self) -> None:
        """Release the source; if another thread waits for its next picture, that one does it then."""
        self.closed.set()
        if self.reading.acquire(blocking=False):
            try:
                self._release()
            finally:
                self.reading.release()

    def finish(self) -> None:
        """Release the source if another thread closed it while this one was reading."""
        if self.closed.is_set():
            self._release()
