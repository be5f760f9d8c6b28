"""The frames on which one person was seen, when the whole clip is known."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .similarity import keypoint_boxes


@dataclass(frozen=True)
class Sightings:
    """The frames on which one person was seen.

    Attributes:
        indices: (n,) int64, indices into the clip's frames, rising.
        keypoints: (n, 17, 3) float32.
        appearances: (n, 30) float32, NaN where not known.
        extras: (n, K, 3) float32, further keypoints.
    """

    indices: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    appearances: NDArray[np.float32]
    extras: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)

    def boxes(self) -> NDArray[np.float32]:
        """Return the boxes around the keypoints of all sightings, (n, 4)."""
        return keypoint_boxes(self.keypoints)

    def between(self, begin: int, end: int) -> Sightings:
        """Return the sightings from the `begin`th to before the `end`th."""
        return Sightings(*(getattr(self, each.name)[begin:end] for each in fields(self)))

    def followed_by(self, later: Sightings) -> Sightings:
        """Return the sightings of this person and of a later one together."""
        return Sightings(
            *(np.concatenate([getattr(self, each.name), getattr(later, each.name)]) for each in fields(self))
        )
