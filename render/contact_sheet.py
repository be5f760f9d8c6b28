"""A contact sheet: a card for each person with a picture, the id, a few lines, and a bar of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .labels import draw_card
from .layout import Rect
from .strokes import Font, rounded, stencil
from .theme import MUTED, PAGE, TEXT, Picture, track_colour

_WIDTH = 240  # of a picture, in pixels
_GAP = 16
_BAR = 8
_MOST_COLUMNS = 8


@dataclass(frozen=True)
class Card:
    """One person on a contact sheet.

    Attributes:
        track: The person's id.
        rank: The person's index among all, which sets the colour.
        picture: The picture.
        box: x0, y0, x1, y1 of the person in it, as shares (0–1) of its width and height.
        lines: Text below it.
        present: The stretches on which the person is there, as shares (0–1) of the clip.
    """

    track: int
    rank: int
    picture: Picture
    box: tuple[float, float, float, float]
    lines: tuple[str, ...]
    present: tuple[tuple[float, float], ...]


def draw_contact_sheet(cards: Sequence[Card], title: str) -> Picture:
    """Draw the cards in rows below a title.

    Args:
        cards: The people; pictures have the same shape, except for their size.
        title: Text above all.

    Returns:
        The sheet.
    """
    heading, bold, plain = Font(17, bold=True), Font(17, bold=True), Font(13)
    columns = min(max(math.ceil(math.sqrt(1.6 * len(cards))), 1), _MOST_COLUMNS)
    rows = max(math.ceil(len(cards) / columns), 1)
    tall = max((round(_WIDTH * c.picture.shape[0] / c.picture.shape[1]) for c in cards), default=0)
    lines = max((len(card.lines) for card in cards), default=0)
    inner = tall + _GAP // 2 + bold.height + lines * plain.height + _GAP // 2 + _BAR
    wide, high = _WIDTH + _GAP, inner + _GAP
    top = heading.height + 2 * _GAP
    width = max(columns * (wide + _GAP) + _GAP, heading.width(title) + 2 * _GAP)
    sheet = np.full((top + rows * (high + _GAP), width, 3), PAGE, np.uint8)
    heading.write(sheet, (_GAP, _GAP), title, TEXT)
    for index, card in enumerate(cards):
        row, column = divmod(index, columns)
        rect = Rect(_GAP + column * (wide + _GAP), top + row * (high + _GAP), wide, high)
        draw_card(sheet, rect, 1)
        _draw_person(sheet, rect, card, tall, bold, plain)
    return sheet


def _draw_person(sheet: Picture, rect: Rect, card: Card, tall: int, bold: Font, plain: Font) -> None:
    x, y, colour = rect.x + _GAP // 2, rect.y + _GAP // 2, track_colour(card.rank)
    shrinks = card.picture.shape[1] > _WIDTH
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    picture = cv2.resize(card.picture, (_WIDTH, tall), interpolation=how)
    left, top, right, bottom = (
        round(share * (side - 1)) for share, side in zip(card.box, (_WIDTH, tall) * 2, strict=True)
    )
    cv2.rectangle(picture, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
    sheet[y : y + tall, x : x + _WIDTH] = picture
    y += tall + _GAP // 2
    bold.write(sheet, (x, y), f"{card.track}", colour)
    y += bold.height
    for line in card.lines:
        part = sheet[:, : x + _WIDTH]  # what does not fit is cut off
        plain.write(part, (x, y), line, MUTED)
        y += plain.height
    y = rect.y + rect.height - _GAP // 2 - _BAR
    stencil(sheet, (x, y), rounded(_WIDTH, _BAR, _BAR / 2), PAGE)
    for begin, end in card.present:
        left = math.floor((_WIDTH - 1) * begin)
        wide = max(math.ceil((_WIDTH - 1) * end) - left + 1, _BAR // 2)
        left = min(left, _WIDTH - wide)
        stencil(sheet, (x + left, y), rounded(wide, _BAR, min(_BAR, wide) / 2), colour)
