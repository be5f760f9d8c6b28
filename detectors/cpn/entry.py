"""The cascaded pyramid network's entry in the registry."""

from __future__ import annotations

from pathlib import Path

from ...errors import UsageError
from ..entry import BuildRequest, Entry
from ..people import Detector

_BOXES = "movenet"
"""The detector that finds people if --boxes is not given."""


def _build(request: BuildRequest) -> Detector:
    from .detector import BoxesFromFile, CPNDetector

    options = request.options
    if options.weights is None:
        raise UsageError(
            "cpn needs --weights FILE: a published checkpoint, or what `videopose finetune-detector` wrote"
        )
    boxes = options.boxes or _BOXES
    if boxes == CPN.name:
        raise UsageError("cpn finds keypoints, not people: --boxes takes another detector or a file")
    return CPNDetector(
        options.weights,
        boxes=request.other(boxes) or BoxesFromFile(Path(boxes)),
        decoding=options.decode or "soft-argmax",
        flip=options.flip_test is not False,
        device=request.device,
    )


CPN = Entry(
    name="cpn",
    summary="the cascaded pyramid network, in another detector's --boxes; needs --weights",
    build=_build,
    options=("weights", "decode", "flip_test", "boxes"),
)
