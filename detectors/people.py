"""What every detector answers with: the people on one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..skeleton import COCO17

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, upright."""

NUM_KEYPOINTS = len(COCO17)


@dataclass(frozen=True)
class People:
    """The people found on one frame.

    boxes: (P, 4) float32, x0, y0, x1, y1 in pixels. scores: (P,) float32, 0–1.
    keypoints: (P, 17, 3) float32, COCO17 x, y in pixels and score 0–1.
    Raises `ValueError` where shapes disagree or positions are not finite.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoints: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if (
            self.boxes.shape != (count, 4)
            or self.scores.shape != (count,)
            or self.keypoints.shape != (count, NUM_KEYPOINTS, 3)
        ):
            raise ValueError(
                f"shapes disagree: boxes {self.boxes.shape}, scores {self.scores.shape}, "
                f"keypoints {self.keypoints.shape}"
            )
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.keypoints).all()):
            raise ValueError("boxes and keypoints must be finite")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> People:
        """Nobody."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, NUM_KEYPOINTS, 3), np.float32),
        )


class Detector(Protocol):
    """Frames in, people out: one `People` per frame, in order, lazily.

    A detector may look back (the previous frame tells where to look next) or read ahead (batches), so it
    takes the stream rather than single frames; it keeps no state between two calls of `detect`.
    """

    name: str

    def detect(self, frames: Iterable[Image]) -> Iterator[People]:
        """One `People` per frame, in order."""
        ...

    def describe(self) -> dict[str, object]:
        """What the pose table's `meta` records: name, and weights' sha256 by file name."""
        ...
