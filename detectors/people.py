"""The types that all detectors share: images as input, and the people on each image as output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..skeleton import COCO17

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, upright."""

NUM_KEYPOINTS = len(COCO17)

FEET = ("lbigtoe", "rbigtoe", "lsmalltoe", "rsmalltoe", "lheel", "rheel")
"""The names of the keypoints of feet beyond COCO's, where a detector finds them (Halpe's order)."""

APPEARANCE_FEATURES = 30
"""Numbers that describe what a person looks like; see `tracking.with_appearance`."""

Memory = dict[str, NDArray[Any]]
"""What a detector needs of the frames before to go on with the next one, as plain arrays by name."""


@dataclass(frozen=True)
class People:
    """The people found on one frame.

    Attributes:
        boxes: (P, 4) float32 x0, y0, x1, y1 in pixels.
        scores: (P,) float32, 0–1.
        keypoints: (P, 17, 3) float32 COCO17 x, y in pixels and score 0–1.
        appearance: (P, 30) float32 what each person looks like, NaN where that cannot be seen. None if it was
            not looked at; detectors leave it so.
        extra: (P, K, 3) float32 further keypoints, such as heels and toes: x, y in pixels and score 0–1. None
            if the detector finds none.
        extra_names: Their K names.

    Raises:
        ValueError: The shapes do not belong together, or a position is not finite.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    appearance: NDArray[np.float32] | None = None
    extra: NDArray[np.float32] | None = None
    extra_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.scores)
        if (
            self.boxes.shape != (count, 4)
            or self.scores.shape != (count,)
            or self.keypoints.shape != (count, NUM_KEYPOINTS, 3)
        ):
            raise ValueError(
                f"expected boxes (P, 4), scores (P,) and keypoints (P, {NUM_KEYPOINTS}, 3), found "
                f"{self.boxes.shape}, {self.scores.shape} and {self.keypoints.shape}"
            )
        if self.appearance is not None and self.appearance.shape != (count, APPEARANCE_FEATURES):
            raise ValueError(
                f"expected appearance ({count}, {APPEARANCE_FEATURES}), found {self.appearance.shape}"
            )
        if self.extra is not None and self.extra.shape != (count, len(self.extra_names), 3):
            raise ValueError(
                f"expected extra ({count}, {len(self.extra_names)}, 3) by its names, found {self.extra.shape}"
            )
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.keypoints).all()):
            raise ValueError("expected finite boxes and keypoints, found NaN or infinity")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> People:
        """Return the people of an empty frame."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, NUM_KEYPOINTS, 3), np.float32),
        )


class Detector(Protocol):
    """Finds people on the frames of a video.

    A detector takes all frames of a video, so that it can use the people of the previous frame, or process
    several frames at once. It keeps no state between two calls of `detect`, except in the `memory` that the
    caller gives. With it, a video can be processed in parts, also by different processes: each call gets the
    frames of one part and the memory that the call before left. The people are exactly those of one call, as
    long as the frames that are processed at once are in the same part.

    Attributes:
        name: Its name in the registry.
    """

    name: str

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield one `People` per frame, in order, as frames are read.

        Args:
            frames: The frames of a video, or of a part of it.
            memory: Empty for a video's first part, else as the call for the part before left it. When all
                people have been yielded, it holds what the next part needs. A detector that processes each
                frame on its own leaves it as it is. None if there are no further parts.
        """
        ...

    def describe(self) -> dict[str, object]:
        """Return what the pose table records: the detector's name, and the sha256 of each file of weights."""
        ...
