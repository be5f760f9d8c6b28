"""Draw a pose table, with the video's frames beside the motion: an animation, a still, or a sheet."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, OutputError, UsageError
from ...files import replacing
from ...lifting.pose_table import PoseTable
from ...pauses import shorten_pauses
from ...render.animation import Animation
from ...render.long_pauses import shown_pause
from ...render.theme import PAGE, Picture
from ...render.views import DEFAULT_VIEWS, View
from ..paths import STILL_SUFFIX
from ..progress import Progress, no_progress
from ..video.picture_size import MOST_PIXELS
from ..video.reader import Frame, reopen_video
from ..video.writer import VideoWriter

HIGHEST_RATE = 60.0
"""Frames a second of an animation, at most."""

_GIF_RATE = 15.0  # frames per second: plays everywhere, and the file stays small
_MOST_STILLS = 100  # on a sheet


class Drawing(Protocol):
    """What draws the picture of a frame: `Animation` or `Comparison`."""

    def draw(self, frame: int, image: Picture | None = None) -> Picture:
        """Return the picture of a frame; image: the frame of the video."""


Draw = Callable[[Sequence[int]], Iterator[Picture]]
"""Yields the pictures of frames, whose numbers rise."""


def animate(
    table: PoseTable,
    output: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | None = None,
    size: tuple[int, int] = (1200, 600),
    views: Sequence[View] = DEFAULT_VIEWS,
    fps: float | None = None,
    progress: Progress = no_progress,
) -> None:
    """Draw the table's span of frames and write it to a file.

    The animation runs in real time at an even rate. If the video's frames are unevenly spaced, each frame is
    shown until the time of the next; a long pause is shortened (`shown_pause`).

    Args:
        table: The motion.
        output: File to write: .mp4, .mov, .mkv, .webm or .gif.
        video: The file that the table was made from; None leaves the video's panel out.
        size: Width and height of the animation in pixels.
        views: Directions of the 3D panels.
        fps: Frames a second; None for the video's own, up to 60.
        progress: How progress is shown.

    Raises:
        InputError: The video has another size than the table's.
        OutputError: The file cannot be written.
        UsageError: `fps` is out of range, or the suffix is none of these.
    """
    drawing = Animation(table, size=size, views=views, video=video is not None)
    write_animation(drawing, [table], output, video=video, size=size, fps=fps, progress=progress)


def write_animation(
    drawing: Drawing,
    tables: Sequence[PoseTable],
    output: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | None,
    size: tuple[int, int],
    fps: float | None = None,
    progress: Progress = no_progress,
) -> None:
    """Write the pictures of a drawing as an animation; see `animate` for arguments and errors.

    Args:
        drawing: What draws each frame.
        tables: What it draws, with the same frames.
        output: File to write.
        video: The video of the tables.
        size: Width and height of the drawing's pictures.
        fps: Frames a second.
        progress: How progress is shown.
    """
    output = Path(output)
    table = tables[0]
    rate = animation_rate(table, output, fps)
    first, last = _span(*tables)
    times = shorten_pauses(table.time[: last + 1], shown_pause(table.time))
    shown = frames_at(times, first, rate)
    with ExitStack() as stack:
        draw = stack.enter_context(_pictures(drawing, table, video))
        advance = stack.enter_context(progress(f"drawing {output.name}", len(shown)))
        writer = stack.enter_context(VideoWriter(output, size=size, rate=rate))
        for picture in draw(shown):
            writer.write(picture)
            advance()


def draw_still(
    table: PoseTable,
    output: str | os.PathLike[str],
    *,
    at: float | None = None,
    video: str | os.PathLike[str] | None = None,
    size: tuple[int, int] = (1200, 600),
    views: Sequence[View] = DEFAULT_VIEWS,
) -> None:
    """Draw one frame and write it as a PNG file.

    Args:
        table: The motion.
        output: File to write.
        at: Seconds of the frame; None for the middle of the table's span of frames.
        video: See `animate`.
        size: Width and height in pixels.
        views: Directions of the 3D panels.

    Raises:
        InputError: The video has another size than the table's.
        OutputError: The file cannot be written.
        UsageError: `at` is not within the video.
    """
    first, last = _span(table)
    frame = (first + last) // 2
    if at is not None:
        if not 0 <= at <= table.time[-1] + 1 / table.rate:
            raise UsageError(f"--at takes seconds from 0 to {table.time[-1]:.2f}, the end; found {at:g}")
        frame = int(np.searchsorted(table.time, at + 1e-6, side="right")) - 1
    drawing = Animation(table, size=size, views=views, video=video is not None)
    with _pictures(drawing, table, video) as draw:
        _write_png(Path(output), next(draw([frame])))


def draw_sheet(
    table: PoseTable,
    output: str | os.PathLike[str],
    *,
    count: int,
    video: str | os.PathLike[str] | None = None,
    size: tuple[int, int] = (800, 400),
    views: Sequence[View] = DEFAULT_VIEWS,
    progress: Progress = no_progress,
) -> None:
    """Draw several frames, evenly spaced in time, on one sheet, and write it as a PNG file.

    Args:
        table: The motion.
        output: File to write.
        count: The number of frames; fewer if the table has fewer.
        video: See `animate`.
        size: Width and height of each frame's picture in pixels.
        views: Directions of the 3D panels.
        progress: How progress is shown.

    Raises:
        InputError: The video has another size than the table's.
        OutputError: The file cannot be written.
        UsageError: `count` is out of range, or the sheet would be too large.
    """
    if not 1 <= count <= _MOST_STILLS:
        raise UsageError(f"--sheet takes a number of frames from 1 to {_MOST_STILLS}, found {count}")
    output = Path(output)
    first, last = _span(table)
    wanted = np.linspace(table.time[first], table.time[last], count)
    frames = np.unique(np.clip(np.searchsorted(table.time, wanted - 1e-6), first, last))
    columns = max(round(math.sqrt(len(frames) * size[1] / size[0])), 1)
    rows = -(-len(frames) // columns)
    width, height = size
    if rows * height * columns * width > MOST_PIXELS:
        raise UsageError(
            f"a sheet of {len(frames)} pictures of {width}x{height} has more than {MOST_PIXELS:,} pixels; "
            "give a smaller --size or --sheet"
        )
    sheet = np.full((rows * height, columns * width, 3), PAGE, np.uint8)
    drawing = Animation(table, size=size, views=views, video=video is not None)
    with (
        _pictures(drawing, table, video) as draw,
        progress(f"drawing {output.name}", len(frames)) as advance,
    ):
        for place, picture in enumerate(draw([int(frame) for frame in frames])):
            row, column = divmod(place, columns)
            sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
            advance()
    _write_png(output, sheet)


def animation_rate(table: PoseTable, output: Path, fps: float | None) -> float:
    """Return the frame rate of an animation: as wished, or the video's own if the format allows it.

    Raises:
        UsageError: `fps` is out of range.
    """
    if fps is not None:
        if not 0 < fps <= HIGHEST_RATE:
            raise UsageError(f"--fps takes a rate above 0 and up to {HIGHEST_RATE:g}, found {fps:g}")
        return fps
    return min(table.rate, _GIF_RATE if output.suffix.lower() == ".gif" else HIGHEST_RATE)


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


def _span(*tables: PoseTable) -> tuple[int, int]:
    """The first and the last frame with a person; all frames if there is none."""
    frames = np.concatenate([table.frame for table in tables])
    return (int(frames.min()), int(frames.max())) if len(frames) else (0, len(tables[0].time) - 1)


@contextmanager
def _pictures(drawing: Drawing, table: PoseTable, video: str | os.PathLike[str] | None) -> Iterator[Draw]:
    """Open the video and yield what draws frames of the table."""
    if video is None:
        yield partial(_draw, drawing, None)
        return
    with reopen_video(video, table.meta) as opened:
        if opened.size != tuple(table.size):
            found, expected = (f"{width}×{height}" for width, height in (opened.size, table.size))
            raise InputError(f"{video} is {found} pixels, the pose table's video was {expected}")
        yield lambda frames: _draw(drawing, opened.frames(start=float(table.time[frames[0]])), frames)


def _draw(drawing: Drawing, video: Iterator[Frame] | None, frames: Sequence[int]) -> Iterator[Picture]:
    """Yield the picture of each frame; a frame that follows itself is drawn once."""
    picture, drawn = None, -1
    for index in frames:
        if index != drawn:
            picture, drawn = drawing.draw(index, None if video is None else _seek(video, index)), index
        assert picture is not None
        yield picture


def _seek(frames: Iterator[Frame], index: int) -> NDArray[np.uint8] | None:
    """Return the next image with this index; None if the video has ended."""
    return next((frame.image for frame in frames if frame.index >= index), None)


def _write_png(path: Path, picture: Picture) -> None:
    done, data = cv2.imencode(STILL_SUFFIX, picture[..., ::-1])
    if not done:
        raise OutputError(f"cannot write {path}: the picture cannot be encoded")
    with replacing(path) as partial_path:
        partial_path.write_bytes(data.tobytes())
