"""Make the small copy of a video that is put into a page."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

from ...detectors.people import Image
from ...lifting.pose_table import PoseTable
from ...pauses import shorten_pauses
from ...render.long_pauses import shown_pause
from ..inference.animate import frames_at
from ..progress import Progress, no_progress
from ..video.reader import reopen_video
from ..video.writer import Quality, VideoWriter

LONGER_SIDE = 640
"""Pixels of the copy's longer side, at most."""

_LEAST_BITS = 250_000  # a second; with less, people cannot be made out
_MOST_BITS = 1_500_000  # a second; more is not visible at this size
_HIGHEST_RATE = 30.0  # frames a second
_KEYFRAME_EVERY = 15  # frames, so that a browser finds each position quickly


def small_copy(
    video: Path,
    table: PoseTable,
    span: tuple[int, int],
    *,
    limit: float,
    progress: Progress = no_progress,
) -> bytes | None:
    """Return a small copy of a part of a video, as an MP4 file.

    It has an even frame rate and shortened pauses, so that its time
    is the page's (`render.page.Part`). Its quality is as good as `limit` allows.

    Args:
        video: The video.
        table: The table that was made of it.
        span: The first and the last frame of the part.
        limit: Megabytes of the copy, at most.
        progress: How progress is shown.

    Returns:
        The file; None if the video is too long for a copy of this size.

    Raises:
        InputError: The video cannot be read.
    """
    first, last = span
    times = shorten_pauses(table.time[: last + 1], shown_pause(table.time[first : last + 1]))
    seconds = float(times[last] - times[first])
    bits = 0.9 * limit * 8e6 / max(seconds, 1.0)
    if bits < _LEAST_BITS:
        return None
    rate = min(table.rate, _HIGHEST_RATE)
    shown = frames_at(times, first, rate)
    quality = Quality(crf=26, bits=int(min(bits, _MOST_BITS)), keyframe_every=_KEYFRAME_EVERY)
    size = _small(table.size)
    with (
        tempfile.TemporaryDirectory(prefix="videopose-") as folder,
        reopen_video(video, table.meta) as opened,
    ):
        path = Path(folder, "copy.mp4")
        frames = opened.frames(start=float(table.time[first]))
        frame = next(frames, None)
        with (
            progress(f"copying {video.name}", len(shown)) as advance,
            VideoWriter(path, size=size, rate=rate, quality=quality) as writer,
        ):
            for index in shown:
                while frame is not None and frame.index < index:
                    following = next(frames, None)
                    if following is None:  # the video ends before the table: its last frame stays
                        break
                    frame = following
                writer.write(_shrunk(frame.image if frame else None, size))
                advance()
        return path.read_bytes()


def _small(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONGER_SIDE / max(size))
    width, height = (max(2, 2 * round(value * scale / 2)) for value in size)
    return width, height


def _shrunk(image: Image | None, size: tuple[int, int]) -> Image:
    if image is None:
        return np.zeros((size[1], size[0], 3), np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
