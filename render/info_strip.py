"""The strip below the figures: frame, time, number of people, legend and timeline."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .labels import draw_card
from .layout import Rect
from .long_pauses import long_pauses
from .scene import Scene
from .strokes import Font, rounded, stencil
from .theme import (
    CARD,
    DAMAGED,
    FILLED,
    LEFT,
    MUTED,
    PAGE,
    RIGHT,
    TEXT,
    UNSEEN,
    Colour,
    Picture,
    mix,
    track_colour,
)

_LANES = 4  # the timeline's rows; if there are more tracks, tracks share rows


def clock(seconds: float) -> str:
    """Return a time as mm:ss.mmm, with hours in front from one hour on."""
    milliseconds = round(max(seconds, 0.0) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{hours}:{text}" if hours else text


class InfoStrip:
    """Draws frame, time and number of people, the legend, and a timeline with a bar for each track.

    Frames are counted from 0, as in the pose table; the number of the last one stands behind.

    A long pause of the video is a gap between two lines in the timeline.

    A low strip has neither captions nor a timeline. Damaged frames are marked on the timeline, and their
    number is in the colour of the mark.

    Args:
        rect: The strip's place in the picture.
        unit: The scale of type and margins, see `Layout`.
        scene: The people.
        time: (T,) The time of every frame, in seconds.
        filled: Whether any keypoints were interpolated, which the legend then explains.
        unseen: Whether any joints are hidden or outside the picture, which the legend then explains.
        damaged: Numbers of the frames that are damaged, rising.
    """

    def __init__(
        self,
        rect: Rect,
        unit: float,
        scene: Scene,
        time: NDArray[np.float64],
        *,
        filled: bool,
        unseen: bool,
        damaged: NDArray[np.int64],
    ) -> None:
        self._rect, self._unit, self._time = rect, unit, time
        self._tracks, self._spans = scene.tracks, scene.spans()
        self._filled, self._unseen = filled, unseen
        self._damaged = damaged
        self._numbered = len(self._tracks) <= _LANES  # else tracks share rows
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
            ("frame", f"{len(time) - 1} / {len(time) - 1}"),
            ("time", clock(float(time[-1])) if len(time) else clock(0)),
            ("people", self._people(88)),
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
        """Return the place of the bars. If there is room, it leaves space for the seconds below them."""
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

    def draw_background(self, image: Picture) -> None:
        """Draw what is the same on every frame: captions, legend and the timeline's bars."""
        draw_card(image, self._rect, self._unit)
        part = self._rect.of(image)
        if self._tall:
            for x, caption in self._columns:
                self._small.write(part, (x, self._top), caption, MUTED)
        self._draw_legend(part)
        if self._timeline is not None:
            self._draw_timeline(part, self._timeline)

    def draw(self, image: Picture, frame: int, people: int) -> None:
        """Draw the numbers of one frame and its mark on the timeline."""
        part = self._rect.of(image)
        texts = (f"{frame} / {len(self._time) - 1}", clock(float(self._time[frame])), self._people(people))
        colours = (DAMAGED if frame in self._damaged else TEXT, TEXT, TEXT)
        for (x, _), text, colour in zip(self._columns, texts, colours, strict=True):
            self._value.write(part, (x, self._numbers_top), text, colour)
        if (box := self._timeline) is not None:
            wide = max(round(2 * self._unit), 1)
            x = box.x + round((box.width - wide) * frame / max(len(self._time) - 1, 1))
            part[box.y : box.y + box.height, x : x + wide] = TEXT

    def _people(self, count: int) -> str:
        """The number of people, with the word where no caption says it."""
        return str(count) if self._tall else f"{count} {'person' if count == 1 else 'people'}"

    def _draw_legend(self, part: Picture) -> None:
        entries: list[tuple[str, Colour]] = [("left", LEFT), ("right", RIGHT)]
        if self._filled:
            entries.append(("interpolated", mix(MUTED, CARD, FILLED)))
        if self._unseen:
            entries.append(("not seen", mix(MUTED, CARD, UNSEEN)))
        if len(self._damaged):
            entries.insert(0, ("damaged", DAMAGED))
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

    def _draw_timeline(self, part: Picture, box: Rect) -> None:
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
        for frame in long_pauses(self._time):
            self._draw_break(part, box, box.x + round((box.width - 1) * (frame + 0.5) / last))
        self._draw_damage(part, box)
        if self._ticks:
            self._draw_ticks(part, box)

    def _draw_break(self, part: Picture, box: Rect, x: int) -> None:
        """Draw a pause of the video: a gap in the bars between two lines."""
        wide, line = max(round(3 * self._unit), 2), max(round(self._unit), 1)
        part[box.y : box.y + box.height, max(x - wide - line, 0) : x + wide + line] = MUTED
        part[box.y : box.y + box.height, max(x - wide, 0) : x + wide] = CARD

    def _draw_damage(self, part: Picture, box: Rect) -> None:
        """Draw a line above the bars at damaged frames."""
        tall = max(round(3 * self._unit), 2)
        last = max(len(self._time) - 1, 1)
        for frame in self._damaged:
            left = math.floor((box.width - tall) * frame / last)
            wide = max(math.ceil(box.width / (last + 1)), tall)
            right = min(box.x + left + wide, box.x + box.width)
            part[box.y : box.y + tall, box.x + left : right] = DAMAGED

    def _draw_ticks(self, part: Picture, box: Rect) -> None:
        """Draw round seconds below the bars, each at the first frame that is not earlier."""
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
