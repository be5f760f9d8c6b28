"""RTMPose's entry in the registry."""

from __future__ import annotations

from pathlib import Path

from ...errors import UsageError
from ..entry import BuildRequest, Entry
from ..people import Detector

_BOXES = "movenet"
"""The detector that finds people if --weights is given and --boxes is not."""


def _build(request: BuildRequest) -> Detector:
    from .detector import RTMPose
    from .person_finder import PersonFinder
    from .weights import fetch_weights

    pose, boxes = request.options.weights, request.options.boxes
    if pose is None:
        finder, pose = fetch_weights()
        boxes = boxes or str(finder)
    boxes = boxes or _BOXES
    if boxes == RTMPOSE.name:
        raise UsageError("rtmpose finds keypoints, not people: --boxes takes another detector or ONNX file")
    other = request.other(boxes)
    if other is None and Path(boxes).suffix != ".onnx":
        raise UsageError(f"--boxes {boxes}: expected another detector or an ONNX file of YOLOX")
    return RTMPose(
        pose, boxes=other or PersonFinder(Path(boxes), device=request.device), device=request.device
    )


RTMPOSE = Entry(
    name="rtmpose",
    summary="more exact, with heels and toes; fetches its weights with rtmlib, or --weights",
    build=_build,
    options=("weights", "boxes"),
)
