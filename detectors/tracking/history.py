"""The sightings of one person so far, and where the person is expected next."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from ...row_list import RowList
from ..people import APPEARANCE_FEATURES, NUM_KEYPOINTS
from .sightings import Sightings

_RECENT = 0.25  # seconds over which a velocity is measured
_PERSISTENCE = 0.6  # seconds for which a person is expected to keep that velocity
_LEARNING = 0.05  # share of a new sighting in the appearance that is remembered

UNKNOWN: NDArray[np.float32] = np.full(APPEARANCE_FEATURES, np.nan, np.float32)
"""The appearance of a person who was not looked at."""
UNKNOWN.setflags(write=False)


class History:
    """The sightings of one person so far.

    Args:
        extra: Number of further keypoints.

    Attributes:
        remembered: (30,) what the person looks like, by all sightings; NaN where never known.
        last_index: Index of the last sighting into the clip's frames.
        last_time: Seconds of the last sighting.
    """

    def __init__(self, extra: int) -> None:
        self.remembered = UNKNOWN.copy()
        self.last_index, self.last_time = -1, -np.inf
        self._indices = RowList((), np.int64)
        self._keypoints = RowList((NUM_KEYPOINTS, 3), np.float32)
        self._appearances = RowList((APPEARANCE_FEATURES,), np.float32)
        self._extras = RowList((extra, 3), np.float32)
        # Seconds and keypoints of the last sightings: back to the first one that is `_RECENT` or longer ago.
        self._recent: deque[tuple[float, NDArray[np.float32]]] = deque()

    def __len__(self) -> int:
        return len(self._indices)

    def add(
        self,
        index: int,
        time: float,
        keypoints: NDArray[np.float32],
        appearance: NDArray[np.float32],
        extra: NDArray[np.float32],
    ) -> None:
        """Add the sighting of a later frame.

        Args:
            index: Index into the clip's frames.
            time: Seconds.
            keypoints: (17, 3).
            appearance: (30,), NaN where not known.
            extra: (K, 3) further keypoints.
        """
        self.last_index, self.last_time = index, time
        self._indices.append(index)
        self._keypoints.append(keypoints)
        self._appearances.append(appearance)
        self._extras.append(extra)
        self._recent.append((time, keypoints))
        while len(self._recent) > 1 and time - self._recent[1][0] >= _RECENT:
            self._recent.popleft()
        known, new = np.isfinite(appearance), np.isnan(self.remembered)
        self.remembered = np.where(new, appearance, self.remembered)
        learned = known & ~new
        self.remembered[learned] += _LEARNING * (appearance - self.remembered)[learned]

    def expected(self, time: float) -> NDArray[np.float32]:
        """Return the (17, 3) keypoints expected at `time`: the last ones moved at the recent velocity."""
        expected = self._recent[-1][1].copy()
        elapsed = min(time - self.last_time, _PERSISTENCE)
        expected[:, :2] += self._velocity() * elapsed
        return expected

    def sightings(self) -> Sightings:
        """Return all sightings. No more can be added as long as the result is in use."""
        rows = self._indices, self._keypoints, self._appearances, self._extras
        return Sightings(*(each.array() for each in rows))

    def _velocity(self) -> NDArray[np.float64]:
        """Return the motion of the body (2,) in pixels a second, at the last sighting."""
        (before, earlier), (now, latest) = self._recent[0], self._recent[-1]
        if now == before:
            return np.zeros(2)
        # The median over all keypoints gives the motion of the body, although limbs swing and single
        # keypoints jump.
        moved = np.median(latest[:, :2] - earlier[:, :2], axis=0)
        return np.asarray(moved / (now - before), np.float64)
