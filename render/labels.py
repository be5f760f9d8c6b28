"""Panels' cards and headings, and the labels that carry a track's id."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .layout import Layout, Rect
from .strokes import Font, rounded, stencil
from .theme import BORDER, CARD, MUTED, PAGE, Picture, track_colour


def draw_card(image: Picture, rect: Rect, unit: float) -> None:
    """Draw a white rectangle with round corners and a thin border."""
    radius = 8 * unit
    stencil(image, (rect.x - 1, rect.y - 1), rounded(rect.width + 2, rect.height + 2, radius + 1), BORDER)
    stencil(image, (rect.x, rect.y), rounded(rect.width, rect.height, radius), CARD)


class Headings:
    """Draws panel headings.

    Attributes:
        height: The height in pixels of a heading at the top of a panel.
    """

    def __init__(self, unit: float) -> None:
        self._font = Font(max(12.5 * unit, 9))
        self._inset = max(round(10 * unit), 4)
        self.height = self._font.height + self._inset // 2

    def draw(self, image: Picture, rect: Rect, text: str) -> None:
        """Write `text` into the top left corner of the panel `rect`; what does not fit is cut off."""
        self._font.write(
            rect.of(image)[:, : rect.width - self._inset], (self._inset, self._inset // 2), text, MUTED
        )


class Tags:
    """Draws track ids above heads, on rounded labels.

    Attributes:
        height: The height of a label in pixels.
    """

    def __init__(self, unit: float) -> None:
        self._font = Font(max(12.5 * unit, 9), bold=True)
        self.height = self._font.height
        self._sprite = lru_cache(maxsize=64)(self._render)

    def draw(self, image: Picture, at: tuple[float, float], track: int, rank: int) -> None:
        """Draw a track's label just above `at` (x, y), moved to lie inside `image`.

        Nothing is drawn if `at` is far outside `image`.
        """
        height, width = image.shape[:2]
        if not (-0.1 * width <= at[0] <= 1.1 * width and -0.1 * height <= at[1] <= 1.1 * height):
            return
        mask, label = self._sprite(track, rank)
        tall, wide = mask.shape
        x = min(max(round(at[0] - wide / 2), 0), max(width - wide, 0))
        y = min(max(round(at[1] - tall), 0), max(height - tall, 0))
        stencil(image, (x, y), mask, label)

    def _render(self, track: int, rank: int) -> tuple[NDArray[np.uint8], Picture]:
        text = self._font.mask(str(track))
        tall = self._font.height
        wide = max(text.shape[1] + round(0.75 * tall), tall)
        label = np.full((tall + 2, wide + 2, 3), CARD, np.uint8)
        stencil(label, (1, 1), rounded(wide, tall, tall / 2), track_colour(rank))
        stencil(label, (1 + (wide - text.shape[1]) // 2, 1), text, CARD)
        return rounded(wide + 2, tall + 2, tall / 2 + 1), label


def draw_cards(image: Picture, layout: Layout) -> None:
    """Draw the page and a card for each 3D panel."""
    image[:] = PAGE
    for rect in layout.views:
        draw_card(image, rect, layout.unit)
