"""Choose the main people of a video: those who are seen longest, largest and most clearly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .similarity import keypoint_boxes


def most_present(
    keypoints: Mapping[int, NDArray[np.float32]], count: int | None, size: tuple[int, int]
) -> list[int]:
    """Return the ids of the people who are most present.

    A person's presence is the sum over the frames on which they are seen of the square root of the area of
    the box around their keypoints, within the frame, times their mean score.

    Args:
        keypoints: For each id, the (n, 17, 3) keypoints of the frames on which the person is seen.
        count: How many people; None for all.
        size: The frame's width and height in pixels.

    Returns:
        The ids, rising.

    Raises:
        ValueError: If `count` is less than 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"expected a count of at least 1, found {count}")
    ranked = sorted(keypoints, key=lambda each: (-_presence(keypoints[each], size), each))
    return sorted(ranked[:count])


def _presence(keypoints: NDArray[np.float32], size: tuple[int, int]) -> float:
    boxes = keypoint_boxes(keypoints)
    boxes = np.clip(boxes, 0, np.array(size * 2, np.float32))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return float((np.sqrt(areas) * keypoints[..., 2].mean(1)).sum())
