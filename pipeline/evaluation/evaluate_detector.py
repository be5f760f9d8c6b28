"""`videopose evaluate-detector`: measure a detector's COCO keypoint AP and AR on annotated images."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table

from ...detectors import registry
from ...detectors.coco.annotation_files import read_annotations, read_boxes
from ...detectors.coco.annotations import Annotations, FoundBoxes
from ...detectors.coco.evaluation import (
    Found,
    KeypointScores,
    find_in_boxes,
    is_coco,
    require_pycocotools,
    score_keypoints,
)
from ...detectors.coco.keypoint_names import COCO_NAMES, names_in_files
from ...detectors.cpn.crops import Decoding
from ...detectors.cpn.detector import CPNKeypoints
from ...detectors.cpn.weights import CPNWeights, load_cpn
from ...detectors.people import Detector, People
from ...errors import UsageError
from ...files import file_digest, replacing
from ..device import choose_device
from ..downloads import assets
from ..plain_text import plain
from ..progress import Progress, say

TRUE_BOXES = "true"

_TITLES = {
    "ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap_medium": "AP\nmedium", "ap_large": "AP\nlarge",
    "ar": "AR", "ar50": "AR50", "ar75": "AR75", "ar_medium": "AR\nmedium", "ar_large": "AR\nlarge",
}  # fmt: skip
_WIDTH = 100  # characters, where the output is no terminal


@dataclass(frozen=True, kw_only=True)
class EvaluateDetectorOptions:
    """What to measure, and how.

    Attributes:
        detector: Name of the detector.
        images: Folder of the annotated images.
        annotations: COCO person-keypoint JSON.
        weights: File of CPN's weights, or of Mask R-CNN's instead of the model zoo's.
        boxes: Of CPN: "true" for the annotated boxes, the name of a detector, or a file of boxes in COCO's
            format.
        decode: Of CPN and Mask R-CNN: how a heatmap becomes a position.
        flip: Of CPN: whether it also looks at mirrored crops.
        device: Where networks run.
    """

    detector: str
    images: Path
    annotations: Path
    weights: Path | None = None
    boxes: str = TRUE_BOXES
    decode: Decoding = "soft-argmax"
    flip: bool = True
    device: str = "auto"


@dataclass(frozen=True)
class Evaluation:
    """A detector's scores.

    Attributes:
        detector: The detector's description of itself.
        boxes: Where the boxes come from, in words.
        images: Number of images.
        people: Number of people with annotated keypoints.
        scores: The scores.
    """

    detector: dict[str, object]
    boxes: str
    images: int
    people: int
    scores: KeypointScores

    def as_json(self) -> dict[str, object]:
        """Return plain values; undefined scores are None."""
        scores = {n: None if math.isnan(v) else round(v, 4) for n, v in asdict(self.scores).items()}
        return {**asdict(self), "scores": scores}


def run(options: EvaluateDetectorOptions, *, progress: Progress) -> Evaluation:
    """Measure a detector.

    Raises:
        UsageError: The detector finds other keypoints than the annotated ones, or an option is not for it.
        InputError: A file cannot be read.
    """
    require_pycocotools()
    annotations = read_annotations(options.annotations)
    annotations.check_images(options.images)
    if not is_coco(annotations.keypoints):
        say("note: not COCO's 17 keypoints: each counts like the nearest one of COCO's")
    device = choose_device(options.device)
    if options.detector == "cpn":
        weights = _cpn_weights(options, annotations)
        boxes, whose = _boxes(options, annotations, device, progress)
        estimator = CPNKeypoints(weights, decoding=options.decode, flip=options.flip, device=device)
        found = []
        with progress("finding keypoints", len(annotations.images)) as advance:
            for of_image in find_in_boxes(estimator.estimate, annotations, options.images, boxes):
                found.append(of_image)
                advance()
        about = {**estimator.describe(), "sha256": _digest(options.weights)}
    else:
        detector = _build(options.detector, options, device)
        if detector.describe().get("keypoints", list(COCO_NAMES)) != list(
            names_in_files(annotations.keypoints)
        ):
            raise UsageError(f"{options.detector} finds other keypoints than {options.annotations} has")
        people = _look(detector, annotations, options.images, progress)
        found = [Found(image, seen.keypoints, seen.scores) for image, seen in people.items()]
        about, whose = detector.describe(), "its own"
    scores = score_keypoints(annotations, found)
    return Evaluation(about, whose, len(annotations.images), len(annotations.trainable()), scores)


def show(evaluation: Evaluation) -> None:
    """Print the scores, and where the boxes come from."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDTH))
    name, about = evaluation.detector["name"], evaluation.detector
    digests = cast("dict[str, str]", about.get("sha256", {}))
    files = ", ".join(f"{file} ({digest[:8]})" for file, digest in digests.items())
    lines = [
        f"{name} on {evaluation.people} people in {evaluation.images} images",
        f"boxes: {evaluation.boxes}",
        *([f"weights: {files}"] if files else []),
    ]
    console.print(plain("\n".join(lines)), markup=False, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE)
    for title in _TITLES.values():
        table.add_column(title, justify="right", no_wrap=True)
    scores = asdict(evaluation.scores)
    table.add_row(*("–" if math.isnan(scores[key]) else f"{scores[key]:.3f}" for key in _TITLES))
    console.print(table)


def write_json(path: Path, evaluation: Evaluation) -> None:
    """Write the evaluation as JSON. Raises `OutputError`."""
    with replacing(path) as partial_:
        text = json.dumps(evaluation.as_json(), indent=2, ensure_ascii=False) + "\n"
        partial_.write_text(text, "utf-8", "backslashreplace")


def write_csv(path: Path, evaluation: Evaluation) -> None:
    """Write the evaluation as one row of CSV. Raises `OutputError`."""
    scores = {n: "" if math.isnan(v) else f"{v:.4f}" for n, v in asdict(evaluation.scores).items()}
    row = {
        "detector": evaluation.detector["name"],
        "boxes": evaluation.boxes,
        "images": evaluation.images,
        "people": evaluation.people,
        **scores,
    }
    with replacing(path) as partial_, partial_.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)


def _cpn_weights(options: EvaluateDetectorOptions, annotations: Annotations) -> CPNWeights:
    if options.weights is None:
        raise UsageError("CPN needs --weights FILE: a checkpoint, or a file that finetune-detector wrote")
    weights = load_cpn(options.weights)
    if weights.keypoints.names != annotations.keypoints.names:
        raise UsageError(f"{options.weights} finds other keypoints than {options.annotations} has")
    return weights


def _boxes(
    options: EvaluateDetectorOptions, annotations: Annotations, device: str, progress: Progress
) -> tuple[FoundBoxes, str]:
    """Return the boxes in which CPN looks, and where they come from, in words."""
    if options.boxes == TRUE_BOXES:
        return FoundBoxes.true(annotations), "the annotated ones"
    if options.boxes in registry.DETECTORS:
        people = _look(_build(options.boxes, None, device), annotations, options.images, progress)
        people = {image: seen for image, seen in people.items() if len(seen)}
        return (
            FoundBoxes({i: p.boxes for i, p in people.items()}, {i: p.scores for i, p in people.items()}),
            options.boxes,
        )
    return read_boxes(options.boxes), options.boxes


def _build(name: str, options: EvaluateDetectorOptions | None, device: str) -> Detector:
    """Load a detector that finds people itself; `options` is None if it only finds boxes."""
    if name == "mask-rcnn":
        from ...detectors.mask_rcnn.detector import MaskRCNN

        if options is not None:
            return MaskRCNN(weights=options.weights, decode=options.decode, threshold=0.05, device=device)
        return MaskRCNN(device=device)
    if options is not None and options.weights is not None:
        raise UsageError(f"{name} takes no --weights")
    return registry.build(
        name, fetch=partial(assets.fetch, report=say), device=device, cache=assets.cache_folder()
    )


def _look(
    detector: Detector, annotations: Annotations, images: Path, progress: Progress
) -> dict[int, People]:
    """Detect people on each image by itself, as the images are not a video."""
    seen = {}
    with progress("finding people", len(annotations.images)) as advance:
        for number, entry in annotations.images.items():
            (seen[number],) = detector.detect([entry.read(images)])
            advance()
    return seen


def _digest(path: Path | None) -> dict[str, str]:
    return {} if path is None else {path.name: file_digest(path)}
