"""How similar two detections of people are: overlap of boxes, similarity of keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from ..coco.sigmas import sigmas

VISIBLE = 0.2
"""The score below which a keypoint is too uncertain to locate the person."""

COCO_FALL_OFF: NDArray[np.float32] = (2 * sigmas(COCO17)).astype(np.float32)
"""The distance at which a keypoint's similarity falls to exp(-1/2), in units of the person's size."""
COCO_FALL_OFF.setflags(write=False)


def keypoint_boxes(keypoints: NDArray[np.float32], threshold: float = VISIBLE) -> NDArray[np.float32]:
    """Return the boxes around keypoints that score at least `threshold`.

    If fewer than four do, the box is around all keypoints.

    Shape:
        keypoints: (…, 17, 3), x, y in pixels and score.
        result: (…, 4), x0, y0, x1, y1 in pixels.
    """
    seen = keypoints[..., 2] >= threshold
    seen |= seen.sum(-1, keepdims=True) < 4
    low = np.where(seen[..., None], keypoints[..., :2], np.inf).min(-2)
    high = np.where(seen[..., None], keypoints[..., :2], -np.inf).max(-2)
    return np.asarray(np.concatenate([low, high], -1), np.float32)


def sizes(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return people's sizes in pixels: 0.4 times the diagonal of the box.

    This is near the square root of a standing person's area. Unlike the area, the diagonal hardly changes
    when a person turns sideways.

    Shape:
        boxes: (…, 4).
        result: (…).
    """
    return np.asarray(
        0.4 * np.hypot(boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]), np.float32
    )


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of boxes, 0 for empty boxes.

    Shape:
        a: (A, 4).
        b: (B, 4).
        result: (A, B).
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.where(union > 0, union, 1), np.float32)


def oks(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return COCO's object keypoint similarity (OKS) between detections, from 0 to 1.

    Two things differ from COCO's comparison with annotations: the size is the larger of the two people's, and
    keypoints are weighted by the geometric mean of their two scores.

    Shape:
        a: (A, 17, 3).
        b: (B, 17, 3).
        result: (A, B).
    """
    scale = np.maximum(sizes(keypoint_boxes(a))[:, None], sizes(keypoint_boxes(b))[None])
    scale = np.maximum(scale, 1)[..., None] * COCO_FALL_OFF
    squared = np.square(a[:, None, :, :2] - b[None, :, :, :2]).sum(-1)
    # If all scores are 0, all keypoints have the same weight.
    weight = np.sqrt(np.clip(a[:, None, :, 2], 1e-3, 1) * np.clip(b[None, :, :, 2], 1e-3, 1))
    alike = np.exp(-squared / (2 * np.square(scale)))
    return np.asarray((alike * weight).sum(-1) / weight.sum(-1), np.float32)
