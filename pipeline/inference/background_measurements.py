"""What was measured of the background of a video, also as plain arrays, which can be kept in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...lifting.world.camera_motion import Edge
from ...row_list import RowList

Arrays = dict[str, NDArray[Any]]
"""Plain arrays by name."""

_LOST = np.full((3, 3), np.nan)  # the rotation of a frame that could not be measured


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


class SeenFrames:
    """What was measured on every frame, in order; a list of `Seen` would take three times the memory."""

    def __init__(self) -> None:
        self._places = RowList((2,), np.int32)
        self._rotations = RowList((3, 3), np.float64)
        self._agreeing = RowList((), np.float64)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Seen]:
        """Yield the frames; none can be added meanwhile."""
        return map(self._seen, range(len(self)))

    def __reversed__(self) -> Iterator[Seen]:
        """Yield the frames from the last one on."""
        return map(self._seen, reversed(range(len(self))))

    def append(self, seen: Seen) -> None:
        """Add a frame."""
        self._places.append((seen.frame, seen.keyframe))
        self._rotations.append(_LOST if seen.rotation is None else seen.rotation)
        self._agreeing.append(seen.agreeing)

    def extend(self, arrays: Arrays) -> None:
        """Add the frames of which `to_arrays` made arrays."""
        self._places.extend(arrays["seen"])
        self._rotations.extend(arrays["seen_rotations"])
        self._agreeing.extend(arrays["seen_agreeing"])

    def to_arrays(self, begin: int) -> Arrays:
        """Return the frames from the `begin`th on as plain arrays."""
        return {
            "seen": self._places.array()[begin:].astype(np.int64),
            "seen_rotations": self._rotations.array()[begin:].copy(),
            "seen_agreeing": self._agreeing.array()[begin:].copy(),
        }

    def _seen(self, at: int) -> Seen:
        frame, keyframe = self._places.array()[at].tolist()
        rotation = self._rotations.array()[at].copy()
        known = not np.isnan(rotation).any()
        return Seen(frame, keyframe, rotation if known else None, float(self._agreeing.array()[at]))


@dataclass(frozen=True)
class Measurements:
    """All frames, keyframes and rotations between keyframes, in the order in which they were measured.

    Attributes:
        seen: The frames.
        keyframes: The keyframes.
        edges: Rotations between two keyframes.
    """

    seen: SeenFrames = field(default_factory=SeenFrames)
    keyframes: list[Keyframe] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def count(self) -> tuple[int, int, int]:
        """Return the numbers of frames, keyframes and edges."""
        return len(self.seen), len(self.keyframes), len(self.edges)

    def to_arrays(self, since: tuple[int, int, int] = (0, 0, 0)) -> Arrays:
        """Return what was added after there were so many, as plain arrays for `extend`."""
        keyframes, edges = self.keyframes[since[1] :], self.edges[since[2] :]
        points = [np.zeros((0, 2), np.float32), *(k.keypoints for k in keyframes if k.keypoints is not None)]
        descriptors = [k.descriptors for k in keyframes if k.descriptors is not None]
        return {
            **self.seen.to_arrays(since[0]),
            "edges": np.array([(edge.first, edge.second) for edge in edges], np.int64).reshape(-1, 2),
            "edge_rotations": np.array([e.rotation for e in edges], np.float64).reshape(-1, 3, 3),
            "edge_weights": np.array([edge.weight for edge in edges], np.float64),
            # Points of each keyframe, −1 if it has none
            "keyframes": np.array(
                [-1 if k.keypoints is None else len(k.keypoints) for k in keyframes], np.int64
            ),
            "points": np.concatenate(points),
            "descriptors": np.concatenate([np.zeros((0, 32), np.uint8), *descriptors]),
        }

    def extend(self, arrays: Arrays) -> None:
        """Add at the end what `to_arrays` gave; it is the same, bit for bit."""
        self.seen.extend(arrays)
        self.edges.extend(
            Edge(int(first), int(second), rotation, float(weight))
            for (first, second), rotation, weight in zip(
                arrays["edges"], arrays["edge_rotations"], arrays["edge_weights"], strict=True
            )
        )
        end = 0
        for count in arrays["keyframes"].tolist():
            begin, end = end, end + max(count, 0)
            described = arrays["points"][begin:end], arrays["descriptors"][begin:end]
            self.keyframes.append(Keyframe() if count < 0 else Keyframe(*described))
