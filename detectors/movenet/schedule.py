"""When to look for people beyond those who are followed, and how thoroughly."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Glance = TypeVar("_Glance")


class Look(Enum):
    """How thoroughly to look at a frame."""

    NONE = 0
    """Not at all: the people who are followed are enough."""
    WHOLE = 1
    """At the whole frame."""
    ONE_MORE = 2
    """At the whole frame, and with one further glance."""
    ALL = 3
    """At the whole frame, and with all further glances."""


class Schedule:
    """Decides for each frame of a video how thoroughly to look for people.

    - On the first frame, and when the last person was lost: at the whole frame and with all further glances,
      at most once per `look_interval`.
    - While no person is followed, or after one was lost within the last `look_interval` frames: at the whole
      frame and with one further glance, every `search_interval` frames.
    - Otherwise: at the whole frame every `look_interval` frames, with one further glance every other time.

    Args:
        look_interval: Frames between two looks while every followed person is found.
        search_interval: Frames between two looks while someone may be missing.
    """

    def __init__(self, look_interval: int, search_interval: int) -> None:
        self._look_interval = look_interval
        self._search_interval = search_interval
        # Frames since the last look, loss and look with all glances; how many looks and turns there were.
        self._since_look = self._since_loss = self._since_all = look_interval
        self._looks = self._turn = 0

    def next(self, *, followed: int, lost: int, full: bool) -> Look:
        """Return how thoroughly to look at the next frame. Call it once for each frame.

        Args:
            followed: How many people are followed.
            lost: How many people were lost on this frame.
            full: Whether as many people are followed as may be.
        """
        self._since_look += 1
        self._since_loss = 0 if lost else self._since_loss + 1
        self._since_all += 1
        searching = not followed or self._since_loss < self._look_interval
        interval = self._search_interval if searching else self._look_interval
        if not lost and self._since_look < interval:
            return Look.NONE
        self._since_look = 0
        self._looks += 1
        if full:
            return Look.WHOLE
        if self._looks == 1 or (lost and not followed and self._since_all >= self._look_interval):
            self._since_all = 0
            return Look.ALL
        return Look.ONE_MORE if searching or self._looks % 2 == 0 else Look.WHOLE

    def state(self) -> NDArray[np.int64]:
        """Return what `resume` needs to go on from here."""
        since = self._since_look, self._since_loss, self._since_all
        return np.array([*since, self._looks, self._turn], np.int64)

    def resume(self, state: NDArray[np.int64]) -> None:
        """Go on from where the schedule was that gave this `state`."""
        self._since_look, self._since_loss, self._since_all, self._looks, self._turn = state.tolist()

    def in_turn(self, glances: Sequence[_Glance]) -> Sequence[_Glance]:
        """Return the glance whose turn it is, or none if there are none."""
        if not glances:
            return ()
        self._turn += 1
        return (glances[self._turn % len(glances)],)
