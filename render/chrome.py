"""Everything around the figures: cards, headings, legend, numbers, timeline, name tags."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .layout import Layout, Rect
from .scene import Scene
from .strokes import Font, rounded, stencil
from .theme import BORDER, CARD, LEFT, MUTED, PAGE, RIGHT, TEXT, Colour, Image, mix, track_colour

_LANES = 4  # tracks that the timeline shows one below the other; more share lanes


def clock(seconds: float) -> str:
    """mm:ss.mmm, with hours in front where there are any."""
    milliseconds = round(max(seconds, 0.0) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{hours}:{text}" if hours else text


def draw_card(image: Image, rect: Rect, unit: float) -> None:
    """A white sheet with round corners and a thin border."""
    radius = 8 * unit
    stencil(image, (rect.x - 1, rect.y - 1), rounded(rect.width + 2, rect.height + 2, radius + 1), BORDER)
    stencil(image, (rect.x, rect.y), rounded(rect.width, rect.height, radius), CARD)


class Headings:
    """Panel headings; `height` is what they take of a panel's top."""

    def __init__(self, unit: float) -> None:
        self._font = Font(max(12.5 * unit, 9))
        self._inset = max(round(10 * unit), 4)
        self.height = self._font.height + self._inset // 2

    def draw(self, image: Image, rect: Rect, text: str) -> None:
        """`text` in the top left corner of the panel `rect`, as far as there is room."""
        self._font.write(
            rect.of(image)[:, : rect.width - self._inset], (self._inset, self._inset // 2), text, MUTED
        )


class Tags:
    """The pills that carry a track's id over its head; `height` is what they take."""

    def __init__(self, unit: float) -> None:
        self._font = Font(max(12.5 * unit, 9), bold=True)
        self.height = self._font.height
        self._sprite = lru_cache(maxsize=64)(self._render)

    def draw(self, image: Image, at: tuple[float, float], track: int, rank: int) -> None:
        """Draw the pill just above `at` (x, y), kept inside `image`; nowhere if `at` is not in `image`."""
        height, width = image.shape[:2]
        if not (-0.1 * width <= at[0] <= 1.1 * width and -0.1 * height <= at[1] <= 1.1 * height):
            return
        mask, pill = self._sprite(track, rank)
        tall, wide = mask.shape
        x = min(max(round(at[0] - wide / 2), 0), max(width - wide, 0))
        y = min(max(round(at[1] - tall), 0), max(height - tall, 0))
        stencil(image, (x, y), mask, pill)

    def _render(self, track: int, rank: int) -> tuple[NDArray[np.uint8], Image]:
        text = self._font.mask(str(track))
        tall = self._font.height
        wide = max(text.shape[1] + round(0.75 * tall), tall)
        pill = np.full((tall + 2, wide + 2, 3), CARD, np.uint8)
        stencil(pill, (1, 1), rounded(wide, tall, tall / 2), track_colour(rank))
        stencil(pill, (1 + (wide - text.shape[1]) // 2, 1), text, CARD)
        return rounded(wide + 2, tall + 2, tall / 2 + 1), pill


class InfoStrip:
    """Frame, time and how many people, over a timeline of who is there when; beside them the legend.

    rect: where in the picture. time: (T,) seconds of every frame. filled: whether anybody's keypoints were
    interpolated, which the legend then explains. A strip that is low has neither captions nor timeline.
    """

    def __init__(
        self, rect: Rect, unit: float, scene: Scene, time: NDArray[np.float64], *, filled: bool
    ) -> None:
        self._rect, self._unit, self._time = rect, unit, time
        self._tracks, self._spans = scene.tracks, scene.spans()
        self._filled = filled
        self._numbered = len(self._tracks) <= _LANES  # else lanes are shared
        self._small = Font(max(11 * unit, 9))
        self._inset = max(round(14 * unit), 5)
        self._tall = rect.height >= 64 and unit >= 0.6
        self._value = Font(max((24 if rect.height > 140 * unit else 20) * unit, 9) if self._tall else 9)
        self._top = self._inset if self._tall else (rect.height - self._value.height) // 2
        self._numbers_top = self._top + (self._small.height + round(2 * unit) if self._tall else 0)
        gap = round(self._value.height * (1.0 if self._tall else 0.6))
        self._columns: list[tuple[int, str]] = []
        x = self._inset
        for caption, widest in (
            ("frame", f"{len(time)} / {len(time)}"),
            ("time", clock(float(time[-1])) if len(time) else clock(0)),
            ("people", "00"),
        ):
            self._columns.append((x, caption))
            x += max(self._value.width(widest), self._small.width(caption) if self._tall else 0) + gap
        self._end = x
        if not self._tall and rect.height >= 2.4 * self._value.height:  # the legend gets a line of its own
            self._numbers_top = round(rect.height * 0.5 - self._value.height * 1.1)
            self._top = round(rect.height * 0.5 + self._value.height * 0.1)
            self._end = 0
        self._timeline = self._place_timeline()

    def _place_timeline(self) -> Rect | None:
        """Where the bars go; below them, where there is room, the seconds."""
        top = self._numbers_top + self._value.height + round(8 * self._unit)
        room = self._rect.height - self._inset - top
        if not self._tall or room < 6 * self._unit or not self._spans:
            return None
        lanes = min(len(self._spans), _LANES)
        self._ticks = room >= 14 * self._unit * lanes + 2 * self._small.height
        if self._ticks:
            room -= self._small.height
        tall = min(room, round(26 * self._unit * lanes))
        gutter = 0
        if self._numbered and tall >= lanes * self._small.height:
            gutter = max(self._small.width(str(track)) for track in self._tracks) + round(8 * self._unit)
        left = self._inset + gutter
        return Rect(left, top + (room - tall) // 2, self._rect.width - self._inset - left, tall)

    def draw_background(self, image: Image) -> None:
        """Captions, legend and the timeline's bars."""
        draw_card(image, self._rect, self._unit)
        part = self._rect.of(image)
        if self._tall:
            for x, caption in self._columns:
                self._small.write(part, (x, self._top), caption, MUTED)
        self._draw_legend(part)
        if self._timeline is not None:
            self._draw_timeline(part, self._timeline)

    def draw(self, image: Image, frame: int, people: int) -> None:
        """This frame's numbers and the playhead."""
        part = self._rect.of(image)
        texts = (f"{frame + 1} / {len(self._time)}", clock(float(self._time[frame])), str(people))
        for (x, _), text in zip(self._columns, texts, strict=True):
            self._value.write(part, (x, self._numbers_top), text, TEXT)
        if (box := self._timeline) is not None:
            wide = max(round(2 * self._unit), 1)
            x = box.x + round((box.width - wide) * frame / max(len(self._time) - 1, 1))
            part[box.y : box.y + box.height, x : x + wide] = TEXT

    def _draw_legend(self, part: Image) -> None:
        entries: list[tuple[str, Colour]] = [("left", LEFT), ("right", RIGHT)]
        if self._filled:
            entries.append(("interpolated", mix(MUTED, CARD, 0.6)))
        dot = max(round(10 * self._unit), 6)
        gap = max(round(5 * self._unit), 2)
        widths = [dot + 4 * gap + self._small.width(text) for text, _ in entries]
        edge = part.shape[1] - self._inset + 3 * gap
        while entries and self._end + sum(widths) > edge:
            entries.pop()
            widths.pop()
        x = edge - sum(widths) if self._end else self._inset
        line = self._small.height
        top = self._top
        for (text, colour), width in zip(entries, widths, strict=True):
            stencil(part, (x, top + (line - dot) // 2), rounded(dot, dot, dot / 2), colour)
            self._small.write(part, (x + dot + gap, top), text, MUTED)
            x += width

    def _draw_timeline(self, part: Image, box: Rect) -> None:
        lanes = min(len(self._spans), _LANES)
        pitch = box.height / lanes
        bar = max(round(min(pitch * 0.6, 8 * self._unit)), 2)
        last = max(len(self._time) - 1, 1)
        tops = [box.y + round((lane + 0.5) * pitch - bar / 2) for lane in range(lanes)]
        for y in tops:
            stencil(part, (box.x, y), rounded(box.width, bar, bar / 2), PAGE)
        for rank, (first, end) in enumerate(self._spans):
            left = math.floor((box.width - 1) * first / last)
            wide = max(math.ceil((box.width - 1) * end / last) - left + 1, bar)
            left = min(left, box.width - wide)
            y = tops[rank % lanes]
            stencil(part, (box.x + left, y), rounded(wide, bar, bar / 2), track_colour(rank))
            if box.x > self._inset:
                text = str(self._tracks[rank])
                top = y + (bar - self._small.height) // 2
                self._small.write(part, (self._inset, top), text, track_colour(rank))
        if self._ticks:
            self._draw_ticks(part, box)

    def _draw_ticks(self, part: Image, box: Rect) -> None:
        """Round seconds below the bars, each where the first frame that is not earlier stands."""
        start, end = float(self._time[0]), float(self._time[-1])
        widest = 4 * self._small.width("00:00")
        steps = (s * m for m in (1, 60, 3600) for s in (1, 2, 5, 10, 15, 30))
        step = next((s for s in steps if (end - start) / s <= max(box.width / widest, 1)), 36_000)
        for second in range(math.ceil(start / step) * step, math.floor(end) + 1, step):
            frame = int(np.searchsorted(self._time, second))
            x = box.x + (box.width - 1) * frame / max(len(self._time) - 1, 1)
            text = clock(second)[:-4]
            left = round(
                min(max(x - self._small.width(text) / 2, box.x), box.x + box.width - self._small.width(text))
            )
            self._small.write(part, (left, box.y + box.height), text, MUTED)


def draw_cards(image: Image, layout: Layout) -> None:
    """The page and a card for each 3D panel."""
    image[:] = PAGE
    for rect in layout.views:
        draw_card(image, rect, layout.unit)
