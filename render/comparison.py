"""The picture of several motions of one video side by side: the video, and a 3D panel for each motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import UsageError
from ..lifting.pose_table import PoseTable
from .animation import MAXIMUM_VIEWS, VideoPanel
from .info_strip import InfoStrip
from .labels import Headings, Tags, draw_cards
from .layout import layouts
from .panel import Panel
from .scene import Scene
from .theme import Picture
from .views import DEFAULT_VIEWS, View


class Comparison:
    """Draws any frame of several pose tables of one video, in any order.

    All panels have the same view. The first table gives the keypoints over the video and the time line.

    Args:
        tables: The motions, with the same frames.
        labels: What each is called.
        size: Width and height of the picture, in pixels.
        view: The direction of the 3D panels.
        video: Whether to leave room for the video's frames.

    Raises:
        UsageError: The number of tables is out of range, or the size is too small.
    """

    def __init__(
        self,
        tables: Sequence[PoseTable],
        labels: Sequence[str],
        *,
        size: tuple[int, int] = (1200, 600),
        view: View = DEFAULT_VIEWS[1],
        video: bool = True,
    ) -> None:
        if not 1 <= len(tables) <= MAXIMUM_VIEWS:
            raise UsageError(f"expected up to {MAXIMUM_VIEWS} motions side by side, found {len(tables)}")
        self._scenes = [Scene(table) for table in tables]
        best: tuple[float, list[Panel]] | None = None
        for layout in layouts(size, tables[0].size if video else None, len(tables)):
            heading = Headings(layout.unit).height + Tags(layout.unit).height
            panels = [
                Panel(scene, view, scene.middle(), (rect.width, rect.height), heading)
                for scene, rect in zip(self._scenes, layout.views, strict=True)
            ]
            smallest = min(panel.scale for panel in panels)
            if best is None or smallest > best[0]:
                best, self.layout = (smallest, panels), layout
        assert best is not None
        self.panels = best[1]
        unit = self.layout.unit
        self._tags = Tags(unit)
        self._info = InfoStrip(
            self.layout.info,
            unit,
            self._scenes[0],
            tables[0].time,
            damaged=tables[0].damaged_frames(),
            filled=bool(tables[0].filled.any()),
            unseen=any(scene.has_unseen() for scene in self._scenes),
        )
        self._video = None
        if self.layout.video is not None:
            self._video = VideoPanel(self.layout.video, tables[0], self._tags, unit)
        self._background = np.empty((size[1], size[0], 3), np.uint8)
        draw_cards(self._background, self.layout)
        headings = Headings(unit)
        for label, rect, panel in zip(labels, self.layout.views, self.panels, strict=True):
            panel.draw_background(rect.of(self._background))
            headings.draw(self._background, rect, label)
        self._info.draw_background(self._background)

    def draw(self, frame: int, image: Picture | None = None) -> Picture:
        """Return the picture of a frame as a new (height, width, 3) uint8 RGB array.

        Args:
            frame: The number of the frame.
            image: The decoded frame, (H, W, 3) uint8 RGB, of any size; None leaves its place dark.
        """
        canvas = self._background.copy()
        first = self._scenes[0].people(frame)
        if self._video is not None:
            self._video.draw(canvas, frame, image, first)
        for scene, rect, panel in zip(self._scenes, self.layout.views, self.panels, strict=True):
            people, part = scene.people(frame), rect.of(canvas)
            for person, at in zip(people, panel.draw(part, people, frame), strict=True):
                self._tags.draw(part, at, person.track, person.rank)
        self._info.draw(canvas, frame, len(first))
        return canvas
