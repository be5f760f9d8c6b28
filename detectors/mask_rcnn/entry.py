"""Mask R-CNN's entry in the registry."""

from __future__ import annotations

from ..entry import BuildRequest, Entry
from ..people import Detector


def _build(request: BuildRequest) -> Detector:
    from .detector import MaskRCNN

    return MaskRCNN(
        weights=request.options.weights,
        backbone=request.options.backbone,
        decode=request.options.decode or "soft-argmax",
        device=request.device,
    )


MASK_RCNN = Entry(
    name="mask-rcnn",
    summary="on detectron2 (`videopose install detectron2`)",
    build=_build,
    options=("weights", "backbone", "decode"),
)
