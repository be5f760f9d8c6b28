"""From a pose table to people standing on one floor, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ..lifting.cameras.level import level
from ..lifting.pose_table import PoseTable

ANKLE_HEIGHT = 0.07
"""Metres from the floor to the lowest joint of someone who stands."""

_SPACING = 1.2  # metres between people whose place is not known
_FARTHEST = 1000.0  # metres; a root further off is not an estimate but a fault
_SAMPLE = 600  # rows that stand for a whole video when its extent is measured
_CALM = 0.7  # seconds, the standard deviation that a following view is smoothed by


@dataclass(frozen=True)
class Person:
    """One person on one frame.

    track: the id. rank: its place among the table's tracks. keypoints: (17, 3) COCO17 x, y, score in the
    video's pixels. joints: (17, 3) H36M17 in the scene, metres; None where the pose was not lifted.
    filled: the keypoints were interpolated.
    """

    track: int
    rank: int
    keypoints: NDArray[np.float32]
    joints: NDArray[np.float32] | None
    filled: bool


class Scene:
    """Everyone in a pose table, on a floor at y = 0; x right, y down, z forward, metres.

    A person stands where `root` says. Its gaps are bridged straight; people without any root at all are set
    side by side, in the order in which the video shows them. A tilted camera is levelled by how people
    stand (see `level`). A single camera knows a person's distance, and so the height of the feet, only
    roughly, so each track is moved up or down as a whole until its feet, when they are low, are on the floor.
    Nothing is smoothed.
    """

    def __init__(self, table: PoseTable) -> None:
        self._table = table
        tracks = dict(table.tracks()) if len(table) else {}
        self.tracks = tuple(tracks)
        self._rows = list(tracks.values())
        self._first = np.array([table.frame[rows.start] for rows in self._rows], np.int64)
        self._last = np.array([table.frame[rows.stop - 1] for rows in self._rows], np.int64)
        self._lifted: NDArray[np.bool_] = np.asarray(np.isfinite(table.pose).all((1, 2)))
        turn = level(table.pose).T.astype(np.float32)
        self._pose = table.pose @ turn
        root = table.root.copy()
        root[~(np.abs(root) < _FARTHEST).all(1)] = np.nan
        self._places = self._place(root @ turn)

    def spans(self) -> list[tuple[int, int]]:
        """Each track's first and last frame."""
        return [(int(a), int(b)) for a, b in zip(self._first, self._last, strict=True)]

    def people(self, frame: int) -> list[Person]:
        """Who is on `frame`, by track."""
        table, people = self._table, []
        for rank in np.flatnonzero((self._first <= frame) & (self._last >= frame)):
            rows = self._rows[rank]
            row = rows.start + int(np.searchsorted(table.frame[rows], frame))
            if table.frame[row] == frame:
                joints = self._pose[row] + self._places[row] if self._lifted[row] else None
                people.append(
                    Person(
                        self.tracks[rank], int(rank), table.keypoints[row], joints, bool(table.filled[row])
                    )
                )
        return people

    def middle(self) -> NDArray[np.float64]:
        """(3,): the middle of the floor that people use, as the target of a view that stands still."""
        places = self._sound_places()
        if not len(places):
            return np.zeros(3)
        return (places.min(0) + places.max(0)) / 2 * np.array([1, 0, 1])

    def path(self) -> NDArray[np.float64]:
        """(T, 3): the floor below the middle of the people, calmed, as a following view's target."""
        count = len(self._table.time)
        low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
        rows = self._sound_rows()
        np.minimum.at(low, self._table.frame[rows], self._places[rows])
        np.maximum.at(high, self._table.frame[rows], self._places[rows])
        seen = np.flatnonzero(np.isfinite(low[:, 0]))
        if not len(seen):
            return np.zeros((count, 3))
        middle = (low[seen] + high[seen]) / 2 * np.array([1, 0, 1])
        path = np.stack([np.interp(np.arange(count), seen, middle[:, axis]) for axis in range(3)], 1)
        calm: NDArray[np.float64] = gaussian_filter1d(path, _CALM * self._table.rate, axis=0, mode="nearest")
        return calm

    def extent(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (P, 3) that stand for the space people need, metres from the target.

        targets: (3,) for a view that stands still or (T, 3) for one that follows. Some joints of some frames
        and the floor below them; the few rows that lie far off the others are left out, so that one bad root
        does not shrink everybody. Without any pose, the room of one person.
        """
        rows = self._sound_rows()
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)]
        if not len(rows):
            return np.array([[x, y, z] for x in (-1, 1) for y in (-1.8, 0) for z in (-1, 1)], float)
        origin = targets if targets.ndim == 1 else targets[self._table.frame[rows]][:, None]
        points = self._pose[rows] + self._places[rows][:, None] - origin
        points = points[_near_the_others(points.mean(1))].reshape(-1, 3)
        return np.concatenate([points, points * np.array([1, 0, 1])])

    def _sound_rows(self) -> NDArray[np.int64]:
        rows = np.flatnonzero(self._lifted)
        return rows[_near_the_others(self._places[rows])]

    def _sound_places(self) -> NDArray[np.float32]:
        return self._places[self._sound_rows()]

    def _place(self, root: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3): where each row's root stands in the scene. root: (N, 3) levelled, NaN if unknown."""
        known = np.isfinite(root[:, 0])
        placed = [rows for rows in self._rows if known[rows].any()]
        adrift = [rows for rows in self._rows if not known[rows].any()]
        for rows in placed:
            frames, seen = self._table.frame[rows], known[rows]
            for axis in range(3):
                values = root[rows, axis]
                root[rows, axis] = np.interp(frames, frames[seen], values[seen])
        left, away = 0.0, 0.0
        if placed:  # right of those whose place is known, as far away as they are
            left = float(np.percentile(root[known, 0], 98)) + _SPACING
            away = float(np.median(root[known, 2]))
        for rows, x in self._side_by_side(adrift):
            root[rows] = (left + x, 0, away)
        for rows in self._rows:
            lowest = (self._pose[rows, :, 1].max(1) + root[rows, 1])[self._lifted[rows]]
            if len(lowest):
                root[rows, 1] -= np.percentile(lowest, 85) + ANKLE_HEIGHT
        return root

    def _side_by_side(self, tracks: list[slice]) -> list[tuple[slice, float]]:
        """An x for each track; those that never meet may share one."""
        slots: list[list[slice]] = []
        frame = self._table.frame
        for rows in sorted(tracks, key=lambda rows: frame[rows.start]):
            free = (slot for slot in slots if frame[slot[-1].stop - 1] < frame[rows.start])
            slot = next(free, None)
            if slot is None:
                slots.append([rows])
            else:
                slot.append(rows)
        seen_at = [np.median(np.nan_to_num(self._table.keypoints[slot[0], :, 0])) for slot in slots]
        order = np.argsort(seen_at)
        return [(rows, place * _SPACING) for place, index in enumerate(order) for rows in slots[index]]


def _near_the_others(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(R,): which of (R, 3) points belong to the bulk.

    The middle 90 % on each axis and a margin that takes in the rest of an even spread: a straight walk is
    kept whole, a stray root is not.
    """
    if not len(points):
        return np.zeros(0, np.bool_)
    low, high = np.percentile(points, [5, 95], axis=0)
    margin = 0.15 * (high - low) + 0.5
    return np.asarray(((points >= low - margin) & (points <= high + margin)).all(1))
