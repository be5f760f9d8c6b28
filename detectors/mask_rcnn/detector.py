"""Mask R-CNN with keypoints (He et al., 2017) as a detector, built on detectron2."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
import torch.nn.functional as F

from ...errors import UsageError
from ...files import file_digest
from ..people import NUM_KEYPOINTS, Image, Memory, People
from ..soft_argmax import Decoding
from .require_detectron2 import require_detectron2


class MaskRCNN:
    """Find people and their keypoints with detectron2's Keypoint R-CNN.

    Args:
        weights: A file of the model zoo (`.pkl`), of fine-tuning or of detectron2's training (`.pth`). None
            means the weights of the model zoo, which detectron2 downloads.
        backbone: "R-101" or "R-50"; None for the backbone of `weights`, or R-101 if there are none.
        decode: "soft-argmax" for the expected position in a heatmap, "argmax" for detectron2's maximum.
        threshold: Lowest score of a person, 0–1.
        max_people: Largest number of people on a frame; None for detectron2's 100.
        short_side: The frame is scaled so that its shorter side has at most this many pixels; None for
            detectron2's 800.
        long_side: The same for the longer side; None for detectron2's 1333.
        batch: Number of frames that the network processes at a time.
        device: "cpu", "cuda", and so on.

    Raises:
        UsageError: detectron2 is not installed, an option is out of range, or the weights are for another
            backbone or other keypoints.
        AssetError: The weights of the model zoo cannot be downloaded.
        InputError: The file does not hold weights of Keypoint R-CNN.
    """

    name = "mask-rcnn"

    def __init__(
        self,
        *,
        weights: Path | None = None,
        backbone: str | None = None,
        decode: Decoding = "soft-argmax",
        threshold: float = 0.5,
        max_people: int | None = None,
        short_side: int | None = None,
        long_side: int | None = None,
        batch: int = 4,
        device: str = "cpu",
    ) -> None:
        ops = require_detectron2()
        from .model import BACKBONES, DEFAULT_BACKBONE, load_network, zoo_weights

        if decode not in get_args(Decoding):
            raise UsageError(f"expected decode to be {' or '.join(get_args(Decoding))}, found {decode!r}")
        if any(number is not None and number < 1 for number in (batch, max_people, short_side, long_side)):
            raise UsageError("batch, max_people, short_side and long_side must be at least 1")
        settings = {
            "MODEL.DEVICE": device,
            "MODEL.ROI_HEADS.SCORE_THRESH_TEST": float(threshold),
            "TEST.DETECTIONS_PER_IMAGE": max_people,
            "INPUT.MIN_SIZE_TEST": short_side,
            "INPUT.MAX_SIZE_TEST": long_side,
        }
        path = weights or zoo_weights(backbone or DEFAULT_BACKBONE)
        loaded = load_network(
            path,
            decode=decode,
            settings={name: value for name, value in settings.items() if value is not None},
        )
        if backbone not in (None, loaded.backbone):
            raise UsageError(f"{path} holds weights of {loaded.backbone}, not of {backbone}")
        if len(loaded.keypoints) != NUM_KEYPOINTS:
            raise UsageError(
                f"{path} finds {len(loaded.keypoints)} keypoints; here detectors give {NUM_KEYPOINTS}"
            )
        config = loaded.config
        self._model: Any = loaded.model
        self._sides = config.INPUT.MIN_SIZE_TEST, config.INPUT.MAX_SIZE_TEST
        self._batch = batch
        self._about = {
            "name": self.name,
            "config": BACKBONES[loaded.backbone],
            "keypoints": list(loaded.keypoints),
            "decode": decode,
            "threshold": threshold,
            "max_people": config.TEST.DETECTIONS_PER_IMAGE,
            "sides": list(self._sides),
            "device": device,
            "ops": ops,
            "sha256": {path.name: file_digest(path)},
        }

    def describe(self) -> dict[str, object]:
        """Return the name, detectron2's configuration, the options that affect the result, and the sha256."""
        return self._about

    def detect(self, frames: Iterable[Image], memory: Memory | None = None) -> Iterator[People]:
        """Yield the people of each frame in order, best first. Frames are read in batches."""
        rest = iter(frames)
        while batch := list(islice(rest, self._batch)):
            yield from self._detect(batch)

    @torch.inference_mode()
    def _detect(self, frames: Sequence[Image]) -> list[People]:
        """Return the people of each frame of a batch."""
        with warnings.catch_warnings():
            # detectron2 calls meshgrid without the argument `indexing`, of which PyTorch warns.
            warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
            found = self._model([self._input(frame) for frame in frames])
        return [_people(of_frame["instances"]) for of_frame in found]

    def _input(self, frame: Image) -> dict[str, Any]:
        """Return detectron2's input: the scaled frame in BGR, and the frame size that results refer to."""
        from detectron2.data.transforms import ResizeShortestEdge

        height, width = frame.shape[:2]
        size = ResizeShortestEdge.get_output_shape(height, width, *self._sides)
        image = torch.from_numpy(frame).to(self._model.device).permute(2, 0, 1)[[2, 1, 0]]
        # Scale on the device, with the filter that Pillow uses in training. Pillow would delay a GPU.
        image = F.interpolate(image[None].float(), size, mode="bilinear", antialias=True)[0]
        return {"image": image, "height": height, "width": width}


def _people(instances: Any) -> People:
    """Convert detectron2's instances of a frame."""
    keypoints = instances.pred_keypoints.cpu().numpy()
    keypoints[..., 2] = np.clip(keypoints[..., 2], 0, 1)
    return People(instances.pred_boxes.tensor.cpu().numpy(), instances.scores.cpu().numpy(), keypoints)
