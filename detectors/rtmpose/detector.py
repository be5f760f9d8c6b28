"""RTMPose as a detector: it finds the keypoints of people whose boxes another detector gives."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...files import file_digest
from ..people import FEET, Detector, Image, Memory, People
from .pose_network import PoseNetwork, split


class RTMPose:
    """Finds people with another detector, and their keypoints with RTMPose.

    The score of a person is the score of the box times the mean score of the 17 keypoints. A network of
    Halpe's 26 keypoints also gives heels and toes, as `People.extra`.

    Args:
        weights: RTMPose's ONNX file.
        boxes: The detector of boxes.
        device: "cpu" or "cuda".

    Raises:
        InputError: The file cannot be read, or is not RTMPose's.
    """

    name = "rtmpose"

    def __init__(self, weights: Path, *, boxes: Detector, device: str = "cpu") -> None:
        self._network = PoseNetwork(weights, device=device)
        self._boxes = boxes
        self._sha256 = {weights.name: file_digest(weights)}

    def describe(self) -> dict[str, object]:
        """Return the name, the number of keypoints, the sha256 of the weights, and the detector of boxes."""
        return {
            "name": self.name,
            "keypoints": self._network.keypoints,
            "sha256": self._sha256,
            "boxes": self._boxes.describe(),
        }

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield the people of each frame, in order."""
        waiting: deque[Image] = deque()  # frames that the detector of boxes has read, and not yet answered

        def read() -> Iterator[Image]:
            for frame in frames:
                waiting.append(frame)
                yield frame

        for people in self._boxes.detect(read(), memory):
            frame = waiting.popleft()
            if not len(people):
                yield People.none()
                continue
            found = np.stack([self._network.estimate(frame, box) for box in people.boxes])
            keypoints, feet = split(found)
            yield People(
                people.boxes,
                people.scores * keypoints[..., 2].mean(1),
                keypoints,
                extra=feet,
                extra_names=() if feet is None else FEET,
            )
