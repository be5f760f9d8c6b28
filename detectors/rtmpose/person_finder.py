"""YOLOX (Ge et al. 2021, arXiv 2107.08430): the boxes of the people in a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...files import file_digest
from ..people import NUM_KEYPOINTS, Image, Memory, People
from .session import input_size, open_onnx, run

_STRIDES = (8, 16, 32)
_GREY = 114  # the value of the pixels beside the picture
_LEAST_SCORE = 0.4
_OVERLAP = 0.45  # intersection over union from which two boxes are of one person
_PERSON = 0  # the class


class PersonFinder:
    """A detector that finds people with YOLOX. Their keypoints are all zero.

    Args:
        path: An ONNX file: with non-maximum suppression inside (boxes and scores (N, P, 5), perhaps classes),
            or without (N, P, 5 + classes).
        device: "cpu" or "cuda".

    Raises:
        InputError: The file cannot be read.
    """

    name = "yolox"

    def __init__(self, path: Path, *, device: str = "cpu") -> None:
        self._session = open_onnx(path, device)
        self._size = input_size(self._session)
        self._path, self._sha256 = path, {path.name: file_digest(path)}

    def describe(self) -> dict[str, object]:
        """Return the name and the sha256 of the file."""
        return {"name": self.name, "sha256": self._sha256}

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield the people of each frame, in order."""
        for frame in frames:
            boxes, scores = self.find(frame)
            yield People(boxes, scores, np.zeros((len(boxes), NUM_KEYPOINTS, 3), np.float32))

    def find(self, image: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the boxes (P, 4), x0, y0, x1, y1 in pixels, and scores (P,) of the people in a picture."""
        width, height = self._size
        ratio = min(width / image.shape[1], height / image.shape[0])
        shape = max(int(image.shape[1] * ratio), 1), max(int(image.shape[0] * ratio), 1)
        pixels = np.full((height, width, 3), _GREY, np.uint8)
        pixels[: shape[1], : shape[0]] = cv2.resize(image, shape, interpolation=cv2.INTER_LINEAR)
        # YOLOX was trained on blue, green, red, 0–255.
        tensor = np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        outputs = run(self._session, self._path, tensor)
        boxes, scores = self._boxes(outputs)
        sure = (scores >= _LEAST_SCORE) & np.isfinite(boxes).all(1)
        boxes, scores = boxes[sure] / ratio, scores[sure]
        boxes = np.clip(boxes, 0, np.array([*image.shape[1::-1]] * 2))
        solid = (boxes[:, 2:] > boxes[:, :2] + 1).all(1)
        return boxes[solid].astype(np.float32), np.clip(scores[solid], 0, 1).astype(np.float32)

    def _boxes(self, outputs: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return boxes in pixels of the network's input, and scores."""
        found = outputs[0][0]
        if found.ndim == 2 and found.shape[1] == 5:  # suppression is inside
            person = np.ones(len(found), np.bool_)
            if len(outputs) > 1 and outputs[1].shape[1:] == (len(found),):
                person = outputs[1][0] == _PERSON
            return found[person, :4], found[person, 4]
        cells = sum((self._size[0] // stride) * (self._size[1] // stride) for stride in _STRIDES)
        if found.ndim != 2 or found.shape[1] < 6 or len(found) != cells:
            shapes = [output.shape for output in outputs]
            raise InputError(f"{self._path}: expected the outputs of YOLOX, found shapes {shapes}")
        return self._suppressed(_decode(found, self._size))

    def _suppressed(self, found: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Keep the best of the boxes that overlap. `found`: (P, 5) x0, y0, x1, y1 and score."""
        found = found[found[:, 4] >= _LEAST_SCORE]
        corners = [[float(x0), float(y0), float(x1 - x0), float(y1 - y0)] for x0, y0, x1, y1, _ in found]
        kept = cv2.dnn.NMSBoxes(corners, found[:, 4].tolist(), _LEAST_SCORE, _OVERLAP)
        found = found[np.asarray(kept, np.int64).ravel()]
        return found[:, :4], found[:, 4]


def _decode(found: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return (P, 5) corners and scores of people; the network gives positions in the cells of three grids."""
    places, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
        places.append(np.stack([columns, rows], -1).reshape(-1, 2))
        strides.append(np.full(rows.size, stride))
    step = np.concatenate(strides)[:, None]
    middle = (found[:, :2] + np.concatenate(places)) * step
    extent = np.exp(np.clip(found[:, 2:4], -20, 20)) * step
    score = found[:, 4] * found[:, 5 + _PERSON]
    return np.concatenate([middle - extent / 2, middle + extent / 2, score[:, None]], 1).astype(np.float32)
