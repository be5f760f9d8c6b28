"""Yield the frames of a file at their times, as a camera would."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from ..video.reader import Frame


def at_their_times(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield frames, each at its time. The clock begins when the second frame is asked for."""
    begin: float | None = None
    for frame in frames:
        if begin is not None and (early := begin + frame.time - time.monotonic()) > 0:
            time.sleep(early)
        yield frame
        begin = time.monotonic() - frame.time if begin is None else begin
