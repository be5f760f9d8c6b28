"""CPN as a detector: it finds the keypoints of people whose boxes come from another detector or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, tee
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import UsageError
from ...files import file_digest
from ..coco.annotation_files import read_boxes
from ..coco.annotations import FoundBoxes
from ..coco.keypoint_names import names_in_files
from ..people import NUM_KEYPOINTS, Detector, Image, Memory, People
from .crops import Decoding, Window, decode, to_input
from .weights import CPNWeights, load_cpn

Boxes = NDArray[np.float32]
Item = TypeVar("Item")


class CPNKeypoints:
    """Find the keypoints of people in given boxes, for any set of keypoints.

    Args:
        weights: The network and its keypoints.
        decoding: How a heatmap is converted to a position.
        flip: Whether to average the heatmaps with those of the mirrored crop.
        batch: Number of crops that the network processes at a time.
        precision: Number format of the network.
        device: "cpu", "cuda", and so on.

    Raises:
        UsageError: `batch` is below 1.
    """

    def __init__(
        self,
        weights: CPNWeights,
        *,
        decoding: Decoding = "soft-argmax",
        flip: bool = True,
        batch: int = 16,
        precision: Literal["float32", "bfloat16"] = "float32",
        device: str = "cpu",
    ) -> None:
        if batch < 1:
            raise UsageError(f"expected a batch of at least 1, found {batch}")
        self.weights = weights
        self.decoding, self.flip, self.batch, self.device = decoding, flip, batch, device
        self._bfloat16 = precision == "bfloat16"
        self._model = weights.model.to(device).eval()
        self._mirror = list(weights.keypoints.mirror)

    def describe(self) -> dict[str, object]:
        """Return the name, the keypoints, and the options that affect the result."""
        return {
            "name": "cpn",
            "keypoints": list(names_in_files(self.weights.keypoints)),
            "decode": self.decoding,
            "flip": self.flip,
        }

    def estimate(self, images: Sequence[Image], boxes: Sequence[Boxes]) -> list[NDArray[np.float32]]:
        """Find the keypoints of the people in each image.

        Args:
            images: RGB images.
            boxes: For each image, (P, 4) boxes: x0, y0, x1, y1 in pixels.

        Returns:
            For each image, (P, K, 3) keypoints: x, y in pixels of the image, and confidence 0–1.
        """
        size = self._model.size
        windows = [[Window.around(box, size) for box in of_image] for of_image in boxes]
        crops = (
            window.cut(image, size)
            for image, of_image in zip(images, windows, strict=True)
            for window in of_image
        )
        found = np.concatenate(
            [np.zeros((0, len(self._mirror), 3), np.float32)]
            + [self._forward(np.stack(some)) for some in _groups(crops, self.batch)]
        )
        answer, first = [], 0
        for of_image in windows:
            keypoints = found[first : first + len(of_image)]
            for person, window in zip(keypoints, of_image, strict=True):
                person[:, :2] = window.to_frame(person[:, :2], size) + self.weights.shift
            answer.append(keypoints)
            first += len(of_image)
        return answer

    @torch.inference_mode()
    def _forward(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (N, K, 3) keypoints of (N, H, W, 3) crops: x, y in pixels of the crop, and confidence."""
        inputs = to_input(torch.from_numpy(crops).to(self.device))
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        heatmaps = self._heatmaps(inputs)
        if self.flip:
            mirrored = self._heatmaps(inputs.flip(-1))
            heatmaps = (heatmaps + mirrored.flip(-1)[:, self._mirror]) / 2
        positions, confidence = decode(heatmaps, self.decoding)
        return torch.cat([positions, confidence[..., None]], -1).cpu().numpy()

    def _heatmaps(self, inputs: Tensor) -> Tensor:
        """Return the heatmaps of RefineNet in single precision."""
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self._bfloat16):
            refined: Tensor = self._model(inputs)[1]
        return refined.float()


class CPNDetector:
    """Find people with another detector, or in a file of boxes, and their keypoints with CPN.

    The score of a person is the score of the box times the mean score of the keypoints.

    Args:
        weights: A file of videopose or an original PyTorch checkpoint, for 17 keypoints.
        boxes: The detector of boxes.
        decoding: See `CPNKeypoints`.
        flip: See `CPNKeypoints`.
        batch: See `CPNKeypoints`.
        frames: Number of frames whose crops are collected for the network.
        device: See `CPNKeypoints`.

    Raises:
        InputError: The file does not hold CPN weights.
        UsageError: The weights are for other keypoints, or `batch` is below 1.
    """

    name = "cpn"

    def __init__(
        self,
        weights: Path,
        *,
        boxes: Detector,
        decoding: Decoding = "soft-argmax",
        flip: bool = True,
        batch: int = 16,
        frames: int = 8,
        device: str = "cpu",
    ) -> None:
        loaded = load_cpn(weights)
        if len(loaded.keypoints) != NUM_KEYPOINTS:
            raise UsageError(
                f"{weights} finds {len(loaded.keypoints)} keypoints; here detectors give {NUM_KEYPOINTS}"
            )
        self._keypoints = CPNKeypoints(loaded, decoding=decoding, flip=flip, batch=batch, device=device)
        self._boxes, self._frames = boxes, frames
        self._sha256 = {weights.name: file_digest(weights)}

    def describe(self) -> dict[str, object]:
        """Return the description of `CPNKeypoints`, the sha256 of the weights, and the detector of boxes."""
        return {**self._keypoints.describe(), "sha256": self._sha256, "boxes": self._boxes.describe()}

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield the people of each frame, in order."""
        frames, for_boxes = tee(frames)
        boxes = self._boxes.detect(for_boxes, memory)
        for group in _groups(zip(frames, boxes, strict=True), self._frames):
            images, found = [image for image, _ in group], [people for _, people in group]
            keypoints = self._keypoints.estimate(images, [people.boxes for people in found])
            for people, points in zip(found, keypoints, strict=True):
                yield People(people.boxes, people.scores * points[..., 2].mean(1), points)


class BoxesFromFile:
    """A detector that reads the boxes of each frame from a file. Its keypoints are all zero.

    Args:
        path: COCO annotations or results. The id of an image is the index of the frame, from 0.

    Raises:
        InputError: The file cannot be read.
    """

    name = "boxes from a file"

    def __init__(self, path: Path) -> None:
        self._found: FoundBoxes = read_boxes(path)
        self._sha256: Mapping[str, str] = {path.name: file_digest(path)}

    def describe(self) -> dict[str, object]:
        """Return the name and the sha256 of the file."""
        return {"name": self.name, "sha256": self._sha256}

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield the people of each frame, in order. The memory is the number of the next frame."""
        first = int(memory["next_frame"]) if memory else 0
        number = first - 1
        for number, _ in enumerate(frames, first):
            boxes = self._found.boxes.get(number)
            if boxes is None:
                yield People.none()
            else:
                keypoints = np.zeros((len(boxes), NUM_KEYPOINTS, 3), np.float32)
                yield People(boxes, np.clip(self._found.scores[number], 0, 1), keypoints)
        if memory is not None:
            memory["next_frame"] = np.array(number + 1)


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items; the last list can be shorter."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
