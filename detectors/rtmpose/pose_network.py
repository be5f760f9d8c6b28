"""RTMPose's network: the keypoints of a person in a box, decoded from SimCC (Li et al., ECCV 2022)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..people import FEET, NUM_KEYPOINTS, Image
from .session import input_size, open_onnx, run

_MEAN = np.array([123.675, 116.28, 103.53], np.float32)  # red, green, blue
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
_MARGIN = 1.25  # the crop's side divided by the box's
_HALPE26 = 26
_FEET_AT = slice(20, 26)  # big toes, small toes and heels, left before right, as in `FEET`


class PoseNetwork:
    """Finds 17 (COCO) or 26 (Halpe) keypoints of a person in a box.

    Args:
        path: The ONNX file; its outputs are SimCC vectors for x and for y.
        device: "cpu" or "cuda".

    Attributes:
        keypoints: How many it finds.

    Raises:
        InputError: The file cannot be read, or does not give SimCC vectors of 17 or 26 keypoints.
    """

    def __init__(self, path: Path, *, device: str = "cpu") -> None:
        self._session = open_onnx(path, device)
        self._path = path
        self._size = input_size(self._session)
        pixels = np.zeros((1, 3, self._size[1], self._size[0]), np.float32)
        shapes = [np.shape(output) for output in run(self._session, path, pixels)]
        if (
            len(shapes) != 2
            or any(len(shape) != 3 for shape in shapes)
            or shapes[0][1] != shapes[1][1]
            or shapes[0][1] not in (NUM_KEYPOINTS, _HALPE26)
        ):
            raise InputError(
                f"{path}: expected RTMPose's SimCC vectors, (N, K, X) and (N, K, Y) with K = "
                f"{NUM_KEYPOINTS} or {_HALPE26} keypoints, found {shapes}"
            )
        self.keypoints: int = shapes[0][1]

    def estimate(self, image: Image, box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (K, 3) keypoints of the person in a box: x, y in pixels of the picture, and score."""
        width, height = self._size
        middle, extent = (box[:2] + box[2:]) / 2, _MARGIN * (box[2:] - box[:2])
        side = max(float(extent[0]) / width, float(extent[1]) / height, 1e-3)  # a pixel of the crop
        corner = middle - side * np.array([width, height]) / 2
        scale = np.array([[1 / side, 0, -corner[0] / side], [0, 1 / side, -corner[1] / side]])
        crop = cv2.warpAffine(image, scale, (width, height), flags=cv2.INTER_LINEAR)
        tensor = ((crop - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None]
        x, y = run(self._session, self._path, np.ascontiguousarray(tensor, np.float32))
        found = decode_simcc(x[0], y[0], self._size)
        found[:, :2] = found[:, :2] * side + corner
        return found


def decode_simcc(
    x: NDArray[np.float32], y: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return keypoints from SimCC vectors: the highest value of each axis, and the mean of the two values.

    Args:
        x: (K, X) a value for each place along x, finer than pixels.
        y: (K, Y) the same along y.
        size: Width and height of the network's input in pixels.

    Returns:
        (K, 3) x and y in pixels of the input, and the score 0–1.
    """
    at = [np.argmax(values, 1) * side / values.shape[1] for values, side in zip((x, y), size, strict=True)]
    score = np.clip((x.max(1) + y.max(1)) / 2, 0, 1)
    return np.stack([*at, score], 1).astype(np.float32)


def split(found: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return the 17 COCO keypoints of (P, K, 3), and the feet (P, 6, 3); None if there are none."""
    assert len(FEET) == _FEET_AT.stop - _FEET_AT.start
    return found[:, :NUM_KEYPOINTS], found[:, _FEET_AT] if found.shape[1] == _HALPE26 else None
