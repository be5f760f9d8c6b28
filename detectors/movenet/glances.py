"""Where to look for people on a frame: the whole frame, the frame with margins, and overlapping tiles.

MultiPose finds people who are seen as a whole and fill between a tenth and nine tenths of its input. Margins
make people who fill the frame smaller, and tiles make small people larger. A person who fills the frame is
found more often by Thunder, which looks for one person in a square: `close_ups` are squares for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..crop import Crop

Kind = Literal["whole", "margin", "tile"]

MARGIN_SIZE = 320
"""The longer side, in pixels, to which a frame with margins is scaled. People are large there."""

TILES_SIDE = 900
"""The shorter side, in pixels, to which the frame is scaled before it is cut into tiles."""

_TILE = 640  # the longest side of a tile, in pixels after scaling
_OVERLAP = 160  # of neighbouring tiles, in pixels after scaling: a small person is whole on one of them
_MOST_TILES = 8  # a frame that needs more is scaled down
_SHRINK = 0.9  # the factor by which it is scaled down until it needs no more
_ENLARGE = 1.25  # the most that tiles are enlarged
_LEAST_TILE = 200  # pixels of the frame: a tile with a shorter side is not quartered
_QUARTER_SIZE = 416  # the longer side, in pixels, to which a quarter is scaled
_WORTH = 1.2  # the least scale of the tiles, relative to the whole frame, at which they show more
_MARGINS = (0.5, 1.0)  # on each side, as shares of the frame's width and height
_CLOSE_UPS = (1.0, 1.5, 2.0)  # sides of the squares, in units of the frame's longer side
_BELOW = 0.3  # of the room that a square adds lies so much further below the frame, where the body goes on


@dataclass(frozen=True)
class Glance:
    """A part of the frame to run MultiPose on. It may extend beyond the frame.

    Attributes:
        kind: "whole", "margin" or "tile".
        left: The left edge in pixels of the frame.
        top: The upper edge.
        right: The right edge, exclusive.
        bottom: The lower edge, exclusive.
        size: The longer side, in pixels, to which the part is scaled.
    """

    kind: Kind
    left: int
    top: int
    right: int
    bottom: int
    size: int


def whole_frame(height: int, width: int, size: int) -> Glance:
    """Return the glance at the whole frame."""
    return Glance("whole", 0, 0, width, height, size)


@lru_cache(maxsize=8)
def margins(height: int, width: int) -> tuple[Glance, ...]:
    """Return glances at the frame with black margins around it, for people who fill the frame."""
    return tuple(
        Glance(
            "margin",
            -round(margin * width),
            -round(margin * height),
            width + round(margin * width),
            height + round(margin * height),
            MARGIN_SIZE,
        )
        for margin in _MARGINS
    )


def close_ups(height: int, width: int) -> tuple[Crop, ...]:
    """Return squares around the frame in which Thunder looks for one person who fills the frame."""
    longer = max(height, width)
    return tuple(
        Crop(width / 2, height / 2 + _BELOW * (side - 1) * height, side * longer) for side in _CLOSE_UPS
    )


@lru_cache(maxsize=8)
def tiles(height: int, width: int, size: int) -> tuple[Glance, ...]:
    """Return overlapping tiles that cover the frame, for small people.

    There are none if they would show people hardly larger than the whole frame does at `size`.
    """
    scale = min(TILES_SIDE / min(height, width), _ENLARGE)
    while True:
        columns, rows = _count(scale * width), _count(scale * height)
        if columns * rows <= _MOST_TILES:
            break
        scale *= _SHRINK
    if scale < _WORTH * size / max(height, width) or columns * rows == 1:
        return ()
    return tuple(
        Glance("tile", left, top, right, bottom, round(scale * max(right - left, bottom - top)))
        for top, bottom in _spans(height, rows, _OVERLAP / scale)
        for left, right in _spans(width, columns, _OVERLAP / scale)
    )


def quarters(tile: Glance) -> tuple[Glance, ...]:
    """Return four overlapping quarters of a tile with many people; none if the tile is small."""
    across, down = tile.right - tile.left, tile.bottom - tile.top
    if min(across, down) < _LEAST_TILE:
        return ()
    overlap = 2 * _OVERLAP / tile.size
    return tuple(
        Glance("tile", tile.left + left, tile.top + top, tile.left + right, tile.top + bottom, _QUARTER_SIZE)
        for top, bottom in _spans(down, 2, overlap * down / 2)
        for left, right in _spans(across, 2, overlap * across / 2)
    )


@lru_cache(maxsize=8)
def further_glances(height: int, width: int, size: int, *, near: bool) -> tuple[Glance | Crop, ...]:
    """Return what to look at beyond the whole frame, in the order of a rotation.

    Args:
        height: Of the frame.
        width: Of the frame.
        size: The longer side to which the whole frame is scaled.
        near: Whether to look for people who fill the frame, too.
    """
    nearer: list[Glance | Crop] = []
    if near:
        first, *rest = close_ups(height, width)
        nearer = [first, *margins(height, width), *rest]
    smaller = tiles(height, width, size)
    each = math.ceil(len(smaller) / len(nearer)) if nearer else len(smaller)
    order: list[Glance | Crop] = []
    for index, glance in enumerate(nearer or [None]):
        order += [] if glance is None else [glance]
        order += smaller[index * each : (index + 1) * each]
    return tuple(order)


def _count(side: float) -> int:
    """How many tiles cover a side."""
    return 1 if side <= _TILE else math.ceil((side - _OVERLAP) / (_TILE - _OVERLAP))


def _spans(side: int, count: int, overlap: float) -> list[tuple[int, int]]:
    """First and last pixel (exclusive) of `count` equal parts of a side that overlap."""
    length = (side + (count - 1) * overlap) / count
    starts = [index * (length - overlap) for index in range(count)]
    return [(round(start), min(round(start + length), side)) for start in starts]
