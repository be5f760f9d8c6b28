"""CPN as a detector: somebody else finds the people's boxes, it finds their keypoints."""

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
from ..people import NUM_KEYPOINTS, Detector, Image, People
from .crops import Decoding, Window, decode, to_input
from .weights import CPNWeights, load_cpn

Boxes = NDArray[np.float32]
Item = TypeVar("Item")


class CPNKeypoints:
    """Boxes → keypoints, whatever set of them the weights were trained for.

    decoding: how a heatmap becomes a position. flip: average with the mirrored crop's heatmaps. batch: crops
    that pass through the network at once. precision: of the network. device: "cpu", "cuda", …
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
            raise UsageError("batch must be at least 1")
        self.weights = weights
        self.decoding, self.flip, self.batch, self.device = decoding, flip, batch, device
        self._bfloat16 = precision == "bfloat16"
        self._model = weights.model.to(device).eval()
        self._mirror = list(weights.keypoints.mirror)

    def describe(self) -> dict[str, object]:
        """Name, keypoints, and the options that decide the result."""
        return {
            "name": "cpn",
            "keypoints": list(names_in_files(self.weights.keypoints)),
            "decode": self.decoding,
            "flip": self.flip,
        }

    def estimate(self, images: Sequence[Image], boxes: Sequence[Boxes]) -> list[NDArray[np.float32]]:
        """Images, and each one's (P, 4) boxes, x0, y0, x1, y1 → each one's (P, K, 3) keypoints.

        They are x, y in pixels of the image and confidence 0–1.
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
        """(N, H, W, 3) crops → (N, K, 3), pixels of the crop and confidence."""
        inputs = to_input(torch.from_numpy(crops).to(self.device))
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        heatmaps = self._heatmaps(inputs)
        if self.flip:
            mirrored = self._heatmaps(inputs.flip(-1))
            heatmaps = (heatmaps + mirrored.flip(-1)[:, self._mirror]) / 2
        positions, confidence = decode(heatmaps, self.decoding)
        return torch.cat([positions, confidence[..., None]], -1).cpu().numpy()

    def _heatmaps(self, inputs: Tensor) -> Tensor:
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self._bfloat16):
            refined: Tensor = self._model(inputs)[1]
        return refined.float()


class CPNDetector:
    """Finds people's keypoints with CPN in boxes that another detector, or a file, gives.

    weights: our file or a published checkpoint, of 17 keypoints. boxes: where people are. frames: images
    whose people are sought together. decoding, flip, batch, device: see `CPNKeypoints`.
    A person's score is the box's times the mean of the keypoints'.
    Raises `InputError` where the file is none of CPN's, `UsageError` where it finds other keypoints.
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
        """What `CPNKeypoints` says, the weights' sha256, and who found the boxes."""
        return {**self._keypoints.describe(), "sha256": self._sha256, "boxes": self._boxes.describe()}

    def detect(self, frames: Iterable[Image]) -> Iterator[People]:
        """One `People` per frame, in order."""
        seen, looked_at = tee(frames)
        for group in _groups(zip(seen, self._boxes.detect(looked_at), strict=True), self._frames):
            images, found = [image for image, _ in group], [people for _, people in group]
            keypoints = self._keypoints.estimate(images, [people.boxes for people in found])
            for people, points in zip(found, keypoints, strict=True):
                yield People(people.boxes, people.scores * points[..., 2].mean(1), points)


class BoxesFromFile:
    """A detector of boxes alone: those that a file gives for each frame. It knows no keypoints (all zero).

    path: COCO annotations or results; an image's number is the frame's, from 0 on. Raises `InputError`.
    """

    name = "boxes from a file"

    def __init__(self, path: Path) -> None:
        self._found: FoundBoxes = read_boxes(path)
        self._sha256: Mapping[str, str] = {path.name: file_digest(path)}

    def describe(self) -> dict[str, object]:
        """Name, and the file's sha256."""
        return {"name": self.name, "sha256": self._sha256}

    def detect(self, frames: Iterable[Image]) -> Iterator[People]:
        """One `People` per frame, in order."""
        for number, _ in enumerate(frames):
            boxes = self._found.boxes.get(number)
            if boxes is None:
                yield People.none()
            else:
                keypoints = np.zeros((len(boxes), NUM_KEYPOINTS, 3), np.float32)
                yield People(boxes, np.clip(self._found.scores[number], 0, 1), keypoints)


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`size` at a time; the last ones may be fewer."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
