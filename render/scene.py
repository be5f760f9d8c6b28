"""The people of a pose table on one floor, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ..lifting.cameras.level import LEVEL
from ..lifting.pose_table import PoseTable
from ..skeleton import H36M17
from .placement import place_tracks

_FARTHEST = 1000.0  # metres; a root further away is treated as an error and not used
_SAMPLE = 600  # the most rows that are used to measure the extent
_HEAD_ROOM = 0.125  # metres from the middle of a head to its label
_SMOOTHING = 0.7  # seconds: the standard deviation that smooths the path of a view that follows people
_NOSE, _HEAD = H36M17.index("nose"), H36M17.index("head")


@dataclass(frozen=True)
class Person:
    """One person on one frame.

    Attributes:
        track: The track's id.
        rank: The track's index among the table's tracks.
        keypoints: (17, 3) COCO17 x, y in the video's pixels and score 0–1.
        joints: (17, 3) H36M17 joints in the scene, in metres; None if the pose was not lifted.
        filled: Whether the keypoints were interpolated.
        seen: (17,) bool, which joints are visible in the video.
    """

    track: int
    rank: int
    keypoints: NDArray[np.float32]
    joints: NDArray[np.float32] | None
    filled: bool
    seen: NDArray[np.bool_]


class Scene:
    """The people of a pose table, on a floor at y = 0. Axes: x right, y down, z forward, in metres.

    The scene is the table's world with other axes. People are placed by `place_tracks`.
    Motion is not smoothed.

    Attributes:
        tracks: The ids of all tracks.
    """

    def __init__(self, table: PoseTable) -> None:
        self._table = table
        tracks = dict(table.tracks()) if len(table) else {}
        self.tracks = tuple(tracks)
        self._rows = list(tracks.values())
        self._first = np.array([table.frame[rows.start] for rows in self._rows], np.int64)
        self._last = np.array([table.frame[rows.stop - 1] for rows in self._rows], np.int64)
        self._lifted: NDArray[np.bool_] = np.asarray(np.isfinite(table.pose).all((1, 2)))
        turn = (LEVEL.T @ table.camera_rotation)[table.frame].astype(np.float32)
        self._pose = np.einsum("nij,nkj->nki", turn, table.pose)
        root = table.root.copy()
        root[~(np.abs(root) < _FARTHEST).all(1)] = np.nan
        root = np.einsum("nij,nj->ni", turn, root) + (table.camera_position @ LEVEL)[table.frame]
        root = root.astype(np.float32)
        self._places = place_tracks(table, self._rows, self._pose, self._lifted, root)

    def has_unseen(self) -> bool:
        """Return whether any joint of a pose is hidden or outside the picture."""
        return bool((self._table.confidence[self._lifted] <= 0).any())

    def spans(self) -> list[tuple[int, int]]:
        """Return each track's first and last frame."""
        return [(int(a), int(b)) for a, b in zip(self._first, self._last, strict=True)]

    def people(self, frame: int) -> list[Person]:
        """Return the people on a frame, sorted by track."""
        table, people = self._table, []
        for rank in np.flatnonzero((self._first <= frame) & (self._last >= frame)):
            rows = self._rows[rank]
            row = rows.start + int(np.searchsorted(table.frame[rows], frame))
            if table.frame[row] == frame:
                joints = self._pose[row] + self._places[row] if self._lifted[row] else None
                people.append(
                    Person(
                        self.tracks[rank],
                        int(rank),
                        table.keypoints[row],
                        joints,
                        bool(table.filled[row]),
                        table.confidence[row] > 0,
                    )
                )
        return people

    def middle(self) -> NDArray[np.float64]:
        """Return the middle (3,) of the floor that people use: the target of a fixed view."""
        places = self._sound_places()
        if not len(places):
            return np.zeros(3)
        return (places.min(0) + places.max(0)) / 2 * np.array([1, 0, 1])

    def path(self) -> NDArray[np.float64]:
        """Return the floor below the middle of the people, (T, 3), smoothed, for a view that follows them."""
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
        deviation = _SMOOTHING * self._table.rate
        smooth: NDArray[np.float64] = gaussian_filter1d(path, deviation, axis=0, mode="nearest")
        return smooth

    def extent(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (P, 3) that span the space people need, in metres from the target.

        The points are joints of some frames, what is around heads, and the floor below them. Rows that are
        far from most others are left out, so that one wrong root does not make all people small. Without any
        poses, the points span the space of one person.

        Args:
            targets: (3,) for a fixed view, (T, 3) for one that follows people.
        """
        rows = self._sound_rows()
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)]
        if not len(rows):
            return np.array([[x, y, z] for x in (-1, 1) for y in (-1.8, 0) for z in (-1, 1)], float)
        origin = targets if targets.ndim == 1 else targets[self._table.frame[rows]][:, None]
        points = self._pose[rows] + self._places[rows][:, None] - origin
        points = points[_near_others(points.mean(1))]
        heads = points[:, [_NOSE, _HEAD]].mean(1)
        around = (heads[:, None] + _HEAD_ROOM * np.concatenate([np.eye(3), -np.eye(3)])).reshape(-1, 3)
        points = points.reshape(-1, 3)
        return np.concatenate([points, around, points * np.array([1, 0, 1])])

    def _sound_rows(self) -> NDArray[np.int64]:
        rows = np.flatnonzero(self._lifted)
        return rows[_near_others(self._places[rows])]

    def _sound_places(self) -> NDArray[np.float32]:
        return self._places[self._sound_rows()]


def _near_others(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(R,): which of (R, 3) points are near most of the others.

    A point is near if it lies in the middle 90 % of each axis or in a margin around them. The margin is wide
    enough to include the ends of a straight walk.
    """
    if not len(points):
        return np.zeros(0, np.bool_)
    low, high = np.percentile(points, [5, 95], axis=0)
    margin = 0.15 * (high - low) + 0.5
    return np.asarray(((points >= low - margin) & (points <= high + margin)).all(1))
