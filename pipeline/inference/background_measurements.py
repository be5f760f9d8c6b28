"""What was measured of the background of a video, also as plain arrays, which can be kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...lifting.world.camera_motion import Edge

Arrays = dict[str, NDArray[Any]]
"""Plain arrays by name."""


@dataclass
class Keyframe:
    """A frame with which later frames are compared: optionally keypoints (D, 2) and descriptors (D, 32)."""

    keypoints: NDArray[np.float32] | None = None
    descriptors: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Seen:
    """A frame's rotation, its keyframe ← the frame; None if it could not be measured."""

    frame: int
    keyframe: int
    rotation: NDArray[np.float64] | None
    agreeing: float


@dataclass(frozen=True)
class Measurements:
    """All frames, keyframes and rotations between keyframes, in the order in which they were measured.

    Attributes:
        seen: The frames.
        keyframes: The keyframes.
        edges: Rotations between two keyframes.
    """

    seen: list[Seen] = field(default_factory=list)
    keyframes: list[Keyframe] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def count(self) -> tuple[int, int, int]:
        """Return the numbers of frames, keyframes and edges."""
        return len(self.seen), len(self.keyframes), len(self.edges)

    def since(self, count: tuple[int, int, int]) -> Measurements:
        """Return the measurements that were added after there were `count` of them."""
        return Measurements(self.seen[count[0] :], self.keyframes[count[1] :], self.edges[count[2] :])

    def extend(self, more: Measurements) -> None:
        """Add measurements at the end."""
        self.seen.extend(more.seen)
        self.keyframes.extend(more.keyframes)
        self.edges.extend(more.edges)

    def to_arrays(self) -> Arrays:
        """Return plain arrays, from which `from_arrays` makes the same measurements, bit for bit."""
        lost = np.full((3, 3), np.nan)
        turns = [lost if each.rotation is None else each.rotation for each in self.seen]
        points = [
            np.zeros((0, 2), np.float32),
            *(k.keypoints for k in self.keyframes if k.keypoints is not None),
        ]
        descriptors = [k.descriptors for k in self.keyframes if k.descriptors is not None]
        return {
            "seen": np.array([(each.frame, each.keyframe) for each in self.seen], np.int64).reshape(-1, 2),
            "seen_rotations": np.array(turns, np.float64).reshape(-1, 3, 3),
            "seen_agreeing": np.array([each.agreeing for each in self.seen], np.float64),
            "edges": np.array([(edge.first, edge.second) for edge in self.edges], np.int64).reshape(-1, 2),
            "edge_rotations": np.array([e.rotation for e in self.edges], np.float64).reshape(-1, 3, 3),
            "edge_weights": np.array([edge.weight for edge in self.edges], np.float64),
            # Points of each keyframe, −1 if it has none
            "keyframes": np.array(
                [-1 if k.keypoints is None else len(k.keypoints) for k in self.keyframes], np.int64
            ),
            "points": np.concatenate(points),
            "descriptors": np.concatenate([np.zeros((0, 32), np.uint8), *descriptors]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the measurements of what `to_arrays` gave."""
        seen = [
            Seen(int(frame), int(key), None if np.isnan(rotation).any() else rotation, float(agreeing))
            for (frame, key), rotation, agreeing in zip(
                arrays["seen"], arrays["seen_rotations"], arrays["seen_agreeing"], strict=True
            )
        ]
        edges = [
            Edge(int(first), int(second), rotation, float(weight))
            for (first, second), rotation, weight in zip(
                arrays["edges"], arrays["edge_rotations"], arrays["edge_weights"], strict=True
            )
        ]
        keyframes, end = [], 0
        for count in arrays["keyframes"].tolist():
            begin, end = end, end + max(count, 0)
            described = arrays["points"][begin:end], arrays["descriptors"][begin:end]
            keyframes.append(Keyframe() if count < 0 else Keyframe(*described))
        return cls(seen, keyframes, edges)
