"""MultiPose: find the people on a part of a frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import halve
from ..people import NUM_KEYPOINTS, Image
from ..tracking.similarity import keypoint_boxes
from .glances import Glance, quarters
from .session import open_session

STEP = 32
"""The sides of MultiPose's input are multiples of this, in pixels."""

MOST_PEOPLE = 6
"""The most people that one run of MultiPose finds."""

_SCORE, _KEYPOINT_VALUES = 55, NUM_KEYPOINTS * 3  # of the 56 values that MultiPose gives for a person
_EDGE = 0.02  # of a tile's longer side: a person so near its inner edge is cut off by it


class Finder:
    """Finds people with MoveNet MultiPose.

    Args:
        files: The JSON and the binary file of MultiPose's published TensorFlow.js graph.
        threshold: The least score of a person.
        cache: See `open_session`; also for `threads` and `device`.
        threads: The number of onnxruntime's threads.
        device: "cpu" or "cuda".
    """

    def __init__(
        self,
        files: tuple[Path, Path],
        *,
        threshold: float,
        cache: Path | None,
        threads: int | None,
        device: str,
    ) -> None:
        self._threshold = threshold
        # MultiPose runs rarely. If its threads polled for the next run, Thunder would be slower.
        self._session = open_session(*files, cache=cache, threads=threads, device=device, spin=False)

    def find(self, frame: Image, glance: Glance) -> NDArray[np.float32]:
        """Return the people on a part of the frame; those whom a tile's inner edge cuts off are left out.

        If a tile shows as many people as MultiPose can find, its four quarters are looked at, too.

        Shape:
            result: (P, 17, 3) x, y in pixels of the frame and score.
        """
        keypoints = self._find(frame, glance)
        if glance.kind != "tile":
            return keypoints
        found = [keypoints[~_cut_off(keypoints, glance, frame.shape)]]
        if len(keypoints) >= MOST_PEOPLE:
            found += [self.find(frame, quarter) for quarter in quarters(glance)]
        return np.concatenate(found)

    def _find(self, frame: Image, glance: Glance) -> NDArray[np.float32]:
        """Run MultiPose; return (P, 17, 3) keypoints in pixels of the frame, P at most `MOST_PEOPLE`."""
        pixels, scale = _shown(frame, glance)
        (output,) = self._session.run(None, {"input": pixels})
        found = output[0][output[0, :, _SCORE] >= self._threshold]
        points = found[:, :_KEYPOINT_VALUES].reshape(-1, NUM_KEYPOINTS, 3)  # y, x, score
        keypoints = points[..., [1, 0, 2]]
        keypoints[..., 0] = glance.left + keypoints[..., 0] * pixels.shape[2] / scale[0]
        keypoints[..., 1] = glance.top + keypoints[..., 1] * pixels.shape[1] / scale[1]
        return np.asarray(keypoints, np.float32)


def _shown(frame: Image, glance: Glance) -> tuple[NDArray[np.int32], tuple[float, float]]:
    """MultiPose's input, (1, H, W, 3), and the scale from the frame to it, in x and y."""
    height, width = frame.shape[:2]
    left, right = max(glance.left, 0), min(glance.right, width)
    top, bottom = max(glance.top, 0), min(glance.bottom, height)
    small: Image = frame[top:bottom, left:right]
    across, down = glance.right - glance.left, glance.bottom - glance.top
    scale = glance.size / max(across, down)
    target = round(scale * max(small.shape[:2]))
    while max(small.shape[:2]) >= 2 * target and min(small.shape[:2]) > 1:
        small = halve(small)
    shape = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    small = np.asarray(cv2.resize(small, shape), np.uint8)
    scale_x, scale_y = small.shape[1] / (right - left), small.shape[0] / (bottom - top)
    x, y = round((left - glance.left) * scale_x), round((top - glance.top) * scale_y)
    ends = y + small.shape[0], x + small.shape[1]
    rows, columns = (
        -(-max(end, round(side)) // STEP) * STEP
        for end, side in zip(ends, (down * scale_y, across * scale_x), strict=True)
    )
    pixels = np.zeros((1, rows, columns, 3), np.int32)
    pixels[0, y : ends[0], x : ends[1]] = small
    return pixels, (scale_x, scale_y)


def _cut_off(keypoints: NDArray[np.float32], glance: Glance, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(P,) Whether an edge of the tile that is not the frame's cuts a person off."""
    height, width = shape[:2]
    near = _EDGE * max(glance.right - glance.left, glance.bottom - glance.top)
    boxes = keypoint_boxes(keypoints)
    return np.asarray(
        ((boxes[:, 0] < glance.left + near) & (glance.left > 0))
        | ((boxes[:, 1] < glance.top + near) & (glance.top > 0))
        | ((boxes[:, 2] > glance.right - near) & (glance.right < width))
        | ((boxes[:, 3] > glance.bottom - near) & (glance.bottom < height)),
        np.bool_,
    )
