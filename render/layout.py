"""The division of the picture: the video, the 3D panels, and the strip with the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import UsageError
from .theme import Picture

MINIMUM_SIZE = (320, 160)
LONGEST_SIDE = 16384
"""Pixels; encoders of H.264 take no more."""


class Rect(NamedTuple):
    """A rectangle in pixels: left, top, width and height."""

    x: int
    y: int
    width: int
    height: int

    def of(self, image: Picture) -> Picture:
        """Return this part of an image as a view of its array."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True)
class Layout:
    """The place of each part of the picture.

    Attributes:
        size: Width and height of the whole picture, in pixels.
        unit: The scale of type and margins; 1 at 1200×600.
        video: The place of the video's frame, which keeps its aspect; None without video.
        views: One panel for each 3D view.
        info: The strip with frame, time, people, legend and timeline.
    """

    size: tuple[int, int]
    unit: float
    video: Rect | None
    views: tuple[Rect, ...]
    info: Rect


def layouts(size: tuple[int, int], video: tuple[int, int] | None, views: int) -> Iterator[Layout]:
    """Yield the possible layouts of a picture.

    They differ in the arrangement of the 3D panels: side by side, stacked, or in a grid. The caller takes the
    one that draws people largest. Wide pictures have the video on the left, tall ones on top. The strip goes
    below the video if there is room, else below the panels.

    Args:
        size: Width and height of the picture, in pixels.
        video: Width and height of the video; None without video.
        views: The number of 3D panels.

    Raises:
        UsageError: The picture is smaller than 320×160, or a side is longer than 16384.
    """
    width, height = size
    if width < MINIMUM_SIZE[0] or height < MINIMUM_SIZE[1]:
        raise UsageError(
            f"expected a --size of at least {MINIMUM_SIZE[0]}x{MINIMUM_SIZE[1]}, found {width}x{height}"
        )
    if max(size) > LONGEST_SIDE:
        raise UsageError(f"expected a --size of up to {LONGEST_SIDE}x{LONGEST_SIDE}, found {width}x{height}")
    unit = min(math.sqrt(width * height / (1200 * 600)), min(width, height) / 400)
    gap = max(round(14 * unit), 3)
    strip = max(round(92 * unit), 30)
    inner = Rect(gap, gap, width - 2 * gap, height - 2 * gap)
    if video is None:
        frame, rest, info = None, *_below(inner, strip, gap)
    elif _columns(size, video):
        column = round(inner.width * 0.54)
        frame = Rect(inner.x, inner.y, *_fit(video, column, inner.height))
        rest = Rect(frame.x + frame.width + gap, inner.y, inner.width - frame.width - gap, inner.height)
        free = inner.height - frame.height - gap
        if free >= strip:
            info = Rect(frame.x, frame.y + frame.height + gap, frame.width, free)
        else:
            frame = frame._replace(y=inner.y + (inner.height - frame.height) // 2)
            rest, info = _below(rest, strip, gap)
    else:
        body, info = _below(inner, strip, gap)
        frame = Rect(body.x, body.y, *_fit(video, body.width, round(body.height * 0.5)))
        frame = frame._replace(x=body.x + (body.width - frame.width) // 2)
        top = frame.height + gap
        rest = Rect(body.x, body.y + top, body.width, body.height - top)
    for columns in range(1, views + 1):
        rows = -(-views // columns)
        if (rows - 1) * columns < views and rows * columns - views < columns:
            yield Layout(size, unit, frame, tuple(_grid(rest, rows, columns, gap))[:views], info)


def _columns(size: tuple[int, int], video: tuple[int, int]) -> bool:
    """Whether the video goes to the left of the panels rather than above them."""
    aspect = size[0] / size[1]
    return aspect >= 1 and aspect >= 0.8 * video[0] / video[1]


def _fit(video: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The largest size with the video's aspect inside `width` and `height`."""
    scale = min(width / video[0], height / video[1])
    return max(round(video[0] * scale), 1), max(round(video[1] * scale), 1)


def _below(rect: Rect, strip: int, gap: int) -> tuple[Rect, Rect]:
    """Divide a rectangle into a body and a strip below it."""
    body = rect.height - strip - gap
    return rect._replace(height=body), rect._replace(y=rect.y + body + gap, height=strip)


def _grid(rect: Rect, rows: int, columns: int, gap: int) -> Iterator[Rect]:
    # Each edge is rounded on its own, so that panels and gaps add up to the whole.
    xs = [round(i * (rect.width + gap) / columns) for i in range(columns + 1)]
    ys = [round(i * (rect.height + gap) / rows) for i in range(rows + 1)]
    for row in range(rows):
        for column in range(columns):
            x, y = xs[column], ys[row]
            yield Rect(rect.x + x, rect.y + y, xs[column + 1] - x - gap, ys[row + 1] - y - gap)
