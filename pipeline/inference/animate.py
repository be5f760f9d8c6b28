"""From a pose table to an animation file, with the video's own frames beside the motion."""

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
from ..progress import Stage, quiet
from ..video.reader import Frame, open_video
from ..video.writer import VideoWriter

_GIF_RATE = 15.0  # frames a second: a GIF that plays everywhere and is not huge


def animate(
    table: PoseTable,
    output: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | None = None,
    size: tuple[int, int] = (1200, 600),
    views: Sequence[View] = DEFAULT_VIEWS,
    stage: Stage = quiet,
) -> None:
    """Draw the table's span of frames and write it as `output` (.mp4, .gif, …).

    video: the file that the table was made from; None leaves the video's panel out. The animation runs in
    real time at an even rate: where the video's frames come unevenly, each is shown until the next one's
    time.
    Raises `InputError` where the video is not the table's, `OutputError` where the file cannot be written.
    """
    output = Path(output)
    animation = Animation(table, size=size, views=views, video=video is not None)
    rate = min(table.rate, _GIF_RATE) if output.suffix.lower() == ".gif" else table.rate
    first, last = (int(table.frame.min()), int(table.frame.max())) if len(table) else (0, len(table.time) - 1)
    shown = frames_at(table.time[: last + 1], first, rate)
    with ExitStack() as stack:
        frames = None
        if video is not None:
            opened = stack.enter_context(open_video(video))
            if opened.size != tuple(table.size):
                found, expected = (f"{width}×{height}" for width, height in (opened.size, table.size))
                raise InputError(f"{video} is {found} pixels, the pose table's video was {expected}")
            frames = opened.frames(start=float(table.time[first]))
        advance = stack.enter_context(stage(f"drawing {output.name}", len(shown)))
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
    """Which frame is on the screen at each tick of an even clock, from frame `first` to the last.

    time: (T,) seconds of all frames, rising. rate: ticks a second. Returns indices into `time`, rising.
    """
    # Rounding in the container's clock must not repeat one frame and drop the next, hence half a tick of
    # tolerance; but no more than half a frame, or a slow clock would pick now this frame, now the next.
    steps = np.diff(time[first:])
    tolerance = 0.5 * min(1 / rate, float(np.median(steps))) if len(steps) else 0.0
    count = int((time[-1] - time[first] + tolerance) * rate) + 1
    ticks = time[first] + np.arange(count) / rate
    index = np.searchsorted(time, ticks + tolerance, side="right") - 1
    return [int(i) for i in np.clip(index, first, len(time) - 1)]


def _seek(frames: Iterator[Frame], index: int) -> NDArray[np.uint8] | None:
    """The next frame with this index; None where the video has ended."""
    return next((frame.image for frame in frames if frame.index >= index), None)
