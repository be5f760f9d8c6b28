"""Choose the main people of a video: those who are seen longest, largest and most clearly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .similarity import keypoint_boxes
from .track import Track


def most_present(tracks: Sequence[Track], count: int | None, size: tuple[int, int]) -> list[Track]:
    """Return the tracks of the people who are most present.

    A track's presence is the sum over its frames of the square root of the area of the box around its
    keypoints, within the frame, times their mean score.

    Args:
        tracks: From `link`. After `fill_gaps`, each part of a split track counts as a person.
        count: How many people; None for all.
        size: The frame's width and height in pixels.

    Returns:
        The tracks in the order of their ids.

    Raises:
        ValueError: If `count` is less than 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"expected a count of at least 1, found {count}")
    ranked = sorted(tracks, key=lambda track: (-_presence(track, size), track.id))
    return sorted(ranked[:count], key=lambda track: track.id)


def _presence(track: Track, size: tuple[int, int]) -> float:
    boxes = keypoint_boxes(track.keypoints)
    boxes = np.clip(boxes, 0, np.array(size * 2, np.float32))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return float((np.sqrt(areas) * track.keypoints[..., 2].mean(1)).sum())
