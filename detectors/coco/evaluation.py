"""COCO's keypoint AP and AR, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import COCO17, Skeleton
from ..people import Image
from .annotations import Annotations, FoundBoxes
from .sigmas import sigmas


@dataclass(frozen=True)
class KeypointScores:
    """COCO's ten numbers, 0–1, or NaN where nobody of that size is annotated.

    ap, ar: means over similarities (OKS) of 0.50, 0.55, …, 0.95. 50, 75: at that one. medium, large: people
    of 32² to 96² square pixels, and larger ones.
    """

    ap: float
    ap50: float
    ap75: float
    ap_medium: float
    ap_large: float
    ar: float
    ar50: float
    ar75: float
    ar_medium: float
    ar_large: float


@dataclass(frozen=True)
class Found:
    """The people found on one image. keypoints: (P, K, 3) x, y in pixels and score. scores: (P,)."""

    image: int
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float32]


Estimate = Callable[[Sequence[Image], Sequence[NDArray[np.float32]]], list[NDArray[np.float32]]]
"""Images, and each one's (P, 4) boxes → each one's (P, K, 3) keypoints."""


def find_in_boxes(
    estimate: Estimate, annotations: Annotations, images: Path, boxes: FoundBoxes
) -> Iterator[Found]:
    """Keypoints in known boxes, image by image; a person's score is the box's times the mean of keypoints'.

    images: the folder. Raises `InputError` for an image that cannot be read.
    """
    for number, entry in annotations.images.items():
        if number in boxes.boxes:
            (keypoints,) = estimate([entry.read(images)], [boxes.boxes[number]])
            yield Found(number, keypoints, boxes.scores[number] * keypoints[..., 2].mean(1))
        else:
            nobody = np.zeros((0, len(annotations.keypoints), 3), np.float32)
            yield Found(number, nobody, np.zeros(0, np.float32))


def is_coco(keypoints: Skeleton) -> bool:
    """Whether the scores compare with published ones, which are for COCO's 17 keypoints."""
    return keypoints.names == COCO17.names


def as_results(found: Sequence[Found], category: int) -> list[dict[str, Any]]:
    """COCO results, as JSON has them: one entry a person, in COCO's numbering of pixels."""
    return [
        {
            "image_id": of_image.image,
            "category_id": category,
            "keypoints": [round(float(v), 3) for v in (person - [0.5, 0.5, 0]).ravel()],
            "score": round(float(score), 5),
        }
        for of_image in found
        for person, score in zip(of_image.keypoints, of_image.scores, strict=True)
    ]


def score_keypoints(annotations: Annotations, found: Sequence[Found]) -> KeypointScores:
    """Compare with what is annotated; images of which `found` says nothing count as without anybody found.

    Raises `ValueError` where keypoints are of another set, and `UsageError` where pycocotools is missing.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise UsageError(
            "COCO's AP needs pycocotools, which is not installed: pip install pycocotools"
        ) from error
    for of_image in found:
        if of_image.keypoints.shape[1:] != (len(annotations.keypoints), 3):
            raise ValueError(f"keypoints {of_image.keypoints.shape} of another set than the annotations'")
    results = as_results(found, annotations.category)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth = COCO()
        truth.dataset = {"info": {}, **annotations.as_json()}
        for number, person in enumerate(truth.dataset["annotations"], 1):
            person["id"] = number  # pycocotools takes who is found as number 0 for missed
        truth.createIndex()
        answers = truth.loadRes(results) if results else _nothing(truth, COCO())
        evaluation = COCOeval(truth, answers, "keypoints")
        evaluation.params.kpt_oks_sigmas = sigmas(annotations.keypoints)
        evaluation.params.catIds = [annotations.category]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = np.where(evaluation.stats < 0, np.nan, evaluation.stats)  # -1 where there is nobody to find
    return KeypointScores(*(float(v) for v in values))


def _nothing(truth: Any, answers: Any) -> Any:
    """Results without anybody, which `loadRes` cannot make."""
    answers.dataset = {**truth.dataset, "annotations": []}
    answers.createIndex()
    return answers
