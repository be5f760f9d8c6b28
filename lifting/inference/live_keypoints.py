"""Replace keypoints that are missing in one frame, so that they do not spoil the frames after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keypoints = NDArray[np.float32]


class KeypointMemory:
    """Remembers each person's last keypoints, and fills in those that are NaN or infinite.

    A missing keypoint is placed where it was in the frame before, moved as the person's other keypoints moved
    since then (their median). In a person's first frame it is placed in the middle of the others. Its score
    becomes 0.
    """

    def __init__(self) -> None:
        self._before: Keypoints | None = None

    def complete(self, keypoints: Keypoints, begins: NDArray[np.bool_]) -> Keypoints:
        """Return keypoints that are all finite.

        Args:
            keypoints: COCO17 x, y in pixels and score, of all people.
            begins: True for people who are new in this frame.

        Shape:
            keypoints and result (P, 17, 3); begins (P,).
        """
        bad: NDArray[np.bool_] = np.asarray(~np.isfinite(keypoints).all(-1))
        if bad.any():
            keypoints = keypoints.copy()
            for person in np.flatnonzero(bad.any(1)):
                before = None if self._before is None or begins[person] else self._before[person]
                _fill(keypoints[person], bad[person], before)
        self._before = keypoints
        return keypoints


def _fill(person: Keypoints, bad: NDArray[np.bool_], before: Keypoints | None) -> None:
    """Fill in the keypoints (17, 3) of one person, in place. `before`: of the previous frame."""
    seen = person[~bad, :2]
    if before is not None:
        moved = np.median(seen - before[~bad, :2], 0) if len(seen) else 0
        person[bad, :2] = before[bad, :2] + moved
    else:
        person[bad, :2] = seen.mean(0) if len(seen) else 0
    person[bad, 2] = 0
