"""Mask R-CNN with keypoints (He et al., 2017), built on detectron2, as a detector."""

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
from ..people import NUM_KEYPOINTS, Image, People
from ..soft_argmax import Decoding
from .require_detectron2 import require_detectron2


class MaskRCNN:
    """Finds people and their keypoints with detectron2's Keypoint R-CNN.

    weights: a file of the model zoo (`.pkl`), of fine-tuning or of detectron2's training (`.pth`); None for
    the model zoo's, which detectron2 fetches. backbone: "R-101" or "R-50"; None for what `weights` are of,
    or R-101. decode: keypoints are where the heatmaps expect them, or where detectron2 has their maximum.
    threshold: least score of a person. max_people: the most on a frame; None for detectron2's 100.
    short_side, long_side: the frame is scaled until its sides, in pixels, are at most these; None for
    detectron2's own 800 and 1333. batch: frames that pass through the network at once.

    Raises `UsageError` where detectron2 is not installed and for impossible options, `AssetError` where the
    model zoo's weights cannot be fetched, `InputError` where the file holds no such weights.
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
            raise UsageError(f"keypoints are decoded by {' or '.join(get_args(Decoding))}, not by {decode!r}")
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
        """Name, detectron2's configuration, what decides the result, and the weights' sha256."""
        return self._about

    def detect(self, frames: Iterable[Image]) -> Iterator[People]:
        """One `People` per frame, in order, read a batch ahead; best first."""
        rest = iter(frames)
        while batch := list(islice(rest, self._batch)):
            yield from self._detect(batch)

    @torch.inference_mode()
    def _detect(self, frames: Sequence[Image]) -> list[People]:
        with warnings.catch_warnings():
            # detectron2 leaves the order open, which PyTorch warns of
            warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
            found = self._model([self._input(frame) for frame in frames])
        return [_people(of_frame["instances"]) for of_frame in found]

    def _input(self, frame: Image) -> dict[str, Any]:
        """The frame as detectron2 takes it: BGR, scaled, and the size that results refer to."""
        from detectron2.data.transforms import ResizeShortestEdge

        height, width = frame.shape[:2]
        size = ResizeShortestEdge.get_output_shape(height, width, *self._sides)
        image = torch.from_numpy(frame).to(self._model.device).permute(2, 0, 1)[[2, 1, 0]]
        # scaled on the device: Pillow, which does it in training with the same filter, would hold a GPU up
        image = F.interpolate(image[None].float(), size, mode="bilinear", antialias=True)[0]
        return {"image": image, "height": height, "width": width}


def _people(instances: Any) -> People:
    keypoints = instances.pred_keypoints.cpu().numpy()
    keypoints[..., 2] = np.clip(keypoints[..., 2], 0, 1)
    return People(instances.pred_boxes.tensor.cpu().numpy(), instances.scores.cpu().numpy(), keypoints)
