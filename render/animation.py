"""The side-by-side picture of one frame: the video with its keypoints, and the people in 3D."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..lifting.pose_table import PoseTable
from .info_strip import InfoStrip
from .labels import Headings, Tags, draw_cards
from .layout import Layout, Rect, layouts
from .overlay import draw_keypoints, head_top
from .panel import Panel
from .scene import Person, Scene
from .strokes import rounded, stencil
from .theme import DAMAGED, EMPTY, PAGE, Picture
from .views import DEFAULT_VIEWS, View

MAXIMUM_VIEWS = 4
_FOLLOW_GAIN = 1.3  # a view follows the people if that enlarges them by at least this factor …
_FOLLOW_FROM = 3.0  # … and the middle of all people moves at least this far, in metres


class Animation:
    """Draws any frame of a pose table, in any order.

    A fixed view shows the whole area in which people move, on a floor that is drawn once. If people would be
    drawn small in it, as on a long walk, the view follows them smoothly instead, and the floor moves. Besides
    the table, memory holds one position per frame.

    Args:
        table: The motion.
        size: Width and height of the picture, in pixels.
        views: The 3D panels, one to four.
        video: Whether to leave room for the video's frames.

    Attributes:
        layout: The place of each part of the picture.
        panels: One for each view.
        scene: The people.

    Raises:
        UsageError: The size is too small, or the number of views is out of range.
    """

    def __init__(
        self,
        table: PoseTable,
        *,
        size: tuple[int, int] = (1200, 600),
        views: Sequence[View] = DEFAULT_VIEWS,
        video: bool = True,
    ) -> None:
        if not 1 <= len(views) <= MAXIMUM_VIEWS:
            raise UsageError(f"--view: expected one to {MAXIMUM_VIEWS} views, found {len(views)}")
        self._table = table
        self.scene = Scene(table)
        self.size = size
        self.layout, self.panels = _arrange(self.scene, table, size, views, video)
        unit = self.layout.unit
        self._tags = Tags(unit)
        self._info = InfoStrip(
            self.layout.info,
            unit,
            self.scene,
            table.time,
            filled=bool(table.filled.any()),
            unseen=self.scene.has_unseen(),
            damaged=table.damaged_frames(),
        )
        self._background = np.empty((size[1], size[0], 3), np.uint8)
        draw_cards(self._background, self.layout)
        headings = Headings(unit)
        for view, rect, panel in zip(views, self.layout.views, self.panels, strict=True):
            panel.draw_background(rect.of(self._background))
            headings.draw(self._background, rect, view.title)
        self._info.draw_background(self._background)
        self._video = None
        if self.layout.video is not None:
            self._video = VideoPanel(self.layout.video, table, self._tags, unit)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._table.time)

    def draw(self, frame: int, image: Picture | None = None) -> Picture:
        """Return the picture of a frame as a new (height, width, 3) uint8 RGB array.

        Args:
            frame: The number of the frame.
            image: The decoded frame, (H, W, 3) uint8 RGB, of any size; None leaves its place dark.

        Raises:
            IndexError: There is no such frame.
        """
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} of {len(self)}")
        canvas = self._background.copy()
        people = self.scene.people(frame)
        if self._video is not None:
            self._video.draw(canvas, frame, image, people)
        for rect, panel in zip(self.layout.views, self.panels, strict=True):
            part = rect.of(canvas)
            for person, at in zip(people, panel.draw(part, people, frame), strict=True):
                self._tags.draw(part, at, person.track, person.rank)
        self._info.draw(canvas, frame, len(people))
        return canvas


class VideoPanel:
    """Draws the video's frame with the keypoints of people into its place in a picture.

    Damaged frames have an outline.

    Args:
        rect: The place.
        table: The table of the video.
        tags: What draws labels.
        unit: The scale of type and margins, see `Layout`.
    """

    def __init__(self, rect: Rect, table: PoseTable, tags: Tags, unit: float) -> None:
        self._rect, self._tags = rect, tags
        self._damaged = frozenset(table.damaged_frames().tolist())
        self._line = max(round(6 * unit), 2)
        self._scale = (rect.width / table.size[0], rect.height / table.size[1])
        self._corners = _corners(rect, 8 * unit)

    def draw(self, canvas: Picture, frame: int, image: Picture | None, people: list[Person]) -> None:
        """Draw a frame and its people; without an image, the place is dark."""
        part = self._rect.of(canvas)
        if image is None:
            part[:] = EMPTY
        else:
            shrink(image, part)
        for person in people:
            draw_keypoints(part, person, self._scale)
        for person in people:
            if (at := head_top(person, self._scale)) is not None:
                self._tags.draw(part, at, person.track, person.rank)
        for at, mask in self._corners:
            stencil(part, at, mask, PAGE)
        if frame in self._damaged:
            _outline(part, self._line)


def _outline(part: Picture, wide: int) -> None:
    """Mark a damaged frame by an outline."""
    part[:wide] = part[-wide:] = part[:, :wide] = part[:, -wide:] = DAMAGED


def _corners(rect: Rect, radius: float) -> list[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """Return for each corner its place in `rect`, and the coverage of the page's colour that rounds it."""
    page = 255 - rounded(rect.width, rect.height, radius)
    side = min(math.ceil(radius), rect.width // 2, rect.height // 2)
    places = [(x, y) for x in (0, rect.width - side) for y in (0, rect.height - side)]
    return [((x, y), page[y : y + side, x : x + side]) for x, y in places]


def shrink(image: Picture, target: Picture) -> None:
    """Scale `image` into `target`.

    The image is halved by area until less than a factor of two is left, then scaled bilinearly. That looks
    like area averaging and takes a seventh of its time.
    """
    height, width = target.shape[:2]
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        image = np.asarray(
            cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA),
            np.uint8,
        )
    cv2.resize(image, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


def _arrange(
    scene: Scene, table: PoseTable, size: tuple[int, int], views: Sequence[View], video: bool
) -> tuple[Layout, list[Panel]]:
    """Return the layout that draws people largest. Views follow people only if that enlarges them enough."""
    best: tuple[float, Layout, list[Panel]] | None = None
    candidates, path = [(scene.middle(), 1.0)], scene.path()
    if len(path) and np.ptp(path, axis=0).max() >= _FOLLOW_FROM:
        candidates.append((path, _FOLLOW_GAIN))
    for targets, handicap in candidates:
        for layout in layouts(size, table.size if video else None, len(views)):
            heading = Headings(layout.unit).height + Tags(layout.unit).height
            panels = [
                Panel(scene, view, targets, (rect.width, rect.height), heading)
                for view, rect in zip(views, layout.views, strict=True)
            ]
            score = min(panel.scale for panel in panels) / handicap
            if best is None or score > best[0]:
                best = score, layout, panels
    assert best is not None
    return best[1], best[2]
