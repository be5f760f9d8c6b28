"""The sightings of one person so far, and where the person is expected next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..people import APPEARANCE_FEATURES
from .similarity import keypoint_boxes

_RECENT = 0.25  # seconds over which a velocity is measured
_PERSISTENCE = 0.6  # seconds for which a person is expected to keep that velocity
_LEARNING = 0.05  # share of a new sighting in the appearance that is remembered

UNKNOWN: NDArray[np.float32] = np.full(APPEARANCE_FEATURES, np.nan, np.float32)
"""The appearance of a person who was not looked at."""
UNKNOWN.setflags(write=False)


@dataclass
class History:
    """The sightings of one person so far.

    Attributes:
        indices: Indices into the clip's frames, rising.
        times: Seconds.
        keypoints: (17, 3) each.
        appearances: (30,) each, NaN where not known.
        extras: (K, 3) further keypoints each.
        remembered: (30,) what the person looks like, by all sightings; NaN where never known.
    """

    indices: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keypoints: list[NDArray[np.float32]] = field(default_factory=list)
    appearances: list[NDArray[np.float32]] = field(default_factory=list)
    extras: list[NDArray[np.float32]] = field(default_factory=list)
    remembered: NDArray[np.float32] = field(default_factory=lambda: UNKNOWN.copy())

    def add(
        self,
        index: int,
        time: float,
        keypoints: NDArray[np.float32],
        appearance: NDArray[np.float32],
        extra: NDArray[np.float32],
    ) -> None:
        """Add the sighting of a later frame."""
        self.indices.append(index)
        self.times.append(time)
        self.keypoints.append(keypoints)
        self.appearances.append(appearance)
        self.extras.append(extra)
        known, new = np.isfinite(appearance), np.isnan(self.remembered)
        self.remembered = np.where(new, appearance, self.remembered)
        learned = known & ~new
        self.remembered[learned] += _LEARNING * (appearance - self.remembered)[learned]

    def expected(self, time: float) -> NDArray[np.float32]:
        """Return the (17, 3) keypoints expected at `time`: the last ones moved at the recent velocity."""
        expected = self.keypoints[-1].copy()
        elapsed = min(time - self.times[-1], _PERSISTENCE)
        expected[:, :2] += self.velocity(-1) * elapsed
        return expected

    def velocity(self, end: int) -> NDArray[np.float64]:
        """Return the motion of the body (2,) in pixels a second, at the first (0) or last (-1) sighting."""
        step = 1 if end == 0 else -1
        at = other = 0 if end == 0 else len(self.times) - 1
        while 0 <= other + step < len(self.times) and abs(self.times[other] - self.times[at]) < _RECENT:
            other += step
        elapsed = self.times[at] - self.times[other]
        if elapsed == 0:
            return np.zeros(2)
        # The median over all keypoints gives the motion of the body, although limbs swing and single
        # keypoints jump.
        moved = np.median(self.keypoints[at][:, :2] - self.keypoints[other][:, :2], axis=0)
        return np.asarray(moved / elapsed, np.float64)

    def boxes(self) -> NDArray[np.float32]:
        """Return the boxes around the keypoints of all sightings, (n, 4)."""
        return keypoint_boxes(np.stack(self.keypoints))

    def split(self, at: int) -> tuple[History, History]:
        """Return the sightings before frame index `at`, and the others; both may be empty."""
        first, second = History(), History()
        for sighting in self._sightings():
            (first if sighting[0] < at else second).add(*sighting)
        return first, second

    def followed_by(self, later: History) -> History:
        """Return the sightings of this and of a later history together."""
        whole = History()
        for part in (self, later):
            for sighting in part._sightings():
                whole.add(*sighting)
        return whole

    def _sightings(
        self,
    ) -> Iterator[tuple[int, float, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
        return zip(self.indices, self.times, self.keypoints, self.appearances, self.extras, strict=True)
