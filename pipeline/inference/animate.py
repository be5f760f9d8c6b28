"""Draw the animation of a pose table, with the video's frames beside the motion, and write it as a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...lifting.pose_table import PoseTable
from ...render.animation import Animation
from ...render.views import DEFAULT_VIEWS, View
from ..progress import Progress, no_progress
from ..video.reader import Frame, open_video
from ..video.writer import VideoWriter

_GIF_RATE = 15.0  # frames per second: plays everywhere, and the file stays small


def animate(
    table: PoseTable,
    output: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | None = None,
    size: tuple[int, int] = (1200, 600),
    views: Sequence[View] = DEFAULT_VIEWS,
    progress: Progress = no_progress,
) -> None:
    """Draw the table's span of frames and write it to a file.

    The animation runs in real time at an even rate. If the video's frames are unevenly spaced, each frame is
    shown until the time of the next.

    Args:
        table: The motion.
        output: File to write: .mp4, .mov, .mkv or .gif.
        video: The file that the table was made from; None leaves the video's panel out.
        size: Width and height of the animation in pixels.
        views: Directions of the 3D panels.
        progress: How progress is shown.

    Raises:
        InputError: The video has another size than the table's.
        OutputError: The file cannot be written.
    """
    output = Path(output)
    animation = Animation(table, size=size, views=views, video=video is not None)
    rate = min(table.rate, _GIF_RATE) if output.suffix.lower() == ".gif" else table.rate
    first, last = (int(table.frame.min()), int(table.frame.max())) if len(table) else (0, len(table.time) - 1)
    shown = frames_at(table.time[: last + 1], first, rate)
    with ExitStack() as stack:
        frames = None
        if video is not None:
            fps = (table.meta.get("video") or {}).get("fps")
            opened = stack.enter_context(open_video(video, fps=fps))
            if opened.size != tuple(table.size):
                found, expected = (f"{width}×{height}" for width, height in (opened.size, table.size))
                raise InputError(f"{video} is {found} pixels, the pose table's video was {expected}")
            frames = opened.frames(start=float(table.time[first]))
        advance = stack.enter_context(progress(f"drawing {output.name}", len(shown)))
        writer = stack.enter_context(VideoWriter(output, size=size, rate=rate))
        picture, drawn = None, -1
        for index in shown:
            if index != drawn:
                image = None if frames is None else _seek(frames, index)
                picture, drawn = animation.draw(index, image), index
            assert picture is not None
            writer.write(picture)
            advance()


def frames_at(time: NDArray[np.float64], first: int, rate: float) -> list[int]:
    """Return the frame that is shown at each tick of an even clock, from frame `first` to the last.

    Args:
        time: (T,) seconds of all frames, rising.
        first: Frame at the first tick.
        rate: Ticks per second.

    Returns:
        Indices into `time`, rising.
    """
    # With a tolerance of half a tick, rounded time stamps do not cause a frame to be repeated and the next to
    # be dropped. The tolerance is at most half a frame, so that at a low rate frames are chosen evenly.
    steps = np.diff(time[first:])
    tolerance = 0.5 * min(1 / rate, float(np.median(steps))) if len(steps) else 0.0
    count = int((time[-1] - time[first] + tolerance) * rate) + 1
    ticks = time[first] + np.arange(count) / rate
    index = np.searchsorted(time, ticks + tolerance, side="right") - 1
    return [int(i) for i in np.clip(index, first, len(time) - 1)]


def _seek(frames: Iterator[Frame], index: int) -> NDArray[np.uint8] | None:
    """Return the next image with this index; None if the video has ended."""
    return next((frame.image for frame in frames if frame.index >= index), None)
