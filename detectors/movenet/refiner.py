"""Thunder: find the keypoints of one person in a square crop of a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..crop import Crop
from ..people import Image
from .session import open_session

SIZE = 256
"""The side of Thunder's input, in pixels."""


class Refiner:
    """Finds the keypoints of one person with MoveNet Thunder.

    Args:
        files: The JSON and the binary file of Thunder's published TensorFlow.js graph.
        cache: See `open_session`; also for `threads` and `device`.
        threads: The number of onnxruntime's threads.
        device: "cpu" or "cuda".
    """

    def __init__(
        self, files: tuple[Path, Path], *, cache: Path | None, threads: int | None, device: str
    ) -> None:
        self._session = open_session(*files, cache=cache, threads=threads, device=device)

    @property
    def provider(self) -> str:
        """The name of onnxruntime's execution provider."""
        return str(self._session.get_providers()[0])

    def find(self, frame: Image, crop: Crop) -> NDArray[np.float32]:
        """Return the keypoints of the most prominent person in a crop.

        Shape:
            result: (17, 3) x, y in pixels of the frame and score 0–1.
        """
        pixels = crop.cut(frame, SIZE).astype(np.int32)
        (output,) = self._session.run(None, {"input": pixels[None]})
        found = output[0, 0]  # y and x as fractions of the crop, and the score
        return np.concatenate([crop.to_frame(found[:, [1, 0]]), np.clip(found[:, 2:], 0, 1)], 1)
