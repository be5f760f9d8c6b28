"""COCO's keypoint AP and AR, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
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
    """COCO's ten numbers, from 0 to 1; NaN where no person of that size is annotated.

    Attributes:
        ap: Average precision, the mean over the similarities (OKS) 0.50, 0.55, …, 0.95.
        ap50: Average precision at a similarity of 0.50.
        ap75: Average precision at a similarity of 0.75.
        ap_medium: Average precision of people of 32² to 96² square pixels.
        ap_large: Average precision of larger people.
        ar: Average recall; `ar50` to `ar_large` as for precision.
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
    """The people found on one image.

    Attributes:
        image: The image's number.
        keypoints: (P, K, 3), x, y in pixels and score.
        scores: (P,), of each person.
    """

    image: int
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float32]


Estimate = Callable[[Sequence[Image], Sequence[NDArray[np.float32]]], list[NDArray[np.float32]]]
"""Finds keypoints: takes images and (P, 4) boxes on each, returns (P, K, 3) keypoints for each."""


def find_in_boxes(
    estimate: Estimate, annotations: Annotations, images: Path, boxes: FoundBoxes
) -> Iterator[Found]:
    """Find the keypoints of people whose boxes are known, image by image.

    A person's score is that of the box times the mean score of the keypoints.

    Args:
        estimate: The network.
        annotations: Which images there are.
        images: The folder of images.
        boxes: People's boxes.

    Raises:
        InputError: If an image cannot be read.
    """
    for number, entry in annotations.images.items():
        if number in boxes.boxes:
            (keypoints,) = estimate([entry.read(images)], [boxes.boxes[number]])
            yield Found(number, keypoints, boxes.scores[number] * keypoints[..., 2].mean(1))
        else:
            none = np.zeros((0, len(annotations.keypoints), 3), np.float32)
            yield Found(number, none, np.zeros(0, np.float32))


def is_coco(keypoints: Skeleton) -> bool:
    """Return whether the keypoints are COCO's 17, so that scores can be compared with published ones."""
    return keypoints.names == COCO17.names


def as_results(found: Sequence[Found], category: int) -> list[dict[str, Any]]:
    """Return the people found in COCO's format for results: one entry a person."""
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


def require_pycocotools() -> None:
    """Check that pycocotools is installed; call this before the work that is to be measured.

    Raises:
        UsageError: It is not.
    """
    if find_spec("pycocotools") is None:
        raise UsageError("COCO's AP needs pycocotools, which is not installed: pip install pycocotools")


def score_keypoints(annotations: Annotations, found: Sequence[Found]) -> KeypointScores:
    """Compare the people found with those annotated.

    Args:
        annotations: The truth.
        found: The people found; on images that are not mentioned, no one was found.

    Raises:
        ValueError: If the keypoints found are not those annotated.
        UsageError: If pycocotools is not installed.
    """
    require_pycocotools()
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    for of_image in found:
        if of_image.keypoints.shape[1:] != (len(annotations.keypoints), 3):
            raise ValueError(
                f"expected (P, {len(annotations.keypoints)}, 3) keypoints as annotated, "
                f"found {of_image.keypoints.shape}"
            )
    results = as_results(found, annotations.category)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth = COCO()
        truth.dataset = {"info": {}, **annotations.as_json()}
        for number, person in enumerate(truth.dataset["annotations"], 1):
            person["id"] = number  # pycocotools takes a match with annotation 0 for no match
        truth.createIndex()
        answers = truth.loadRes(results) if results else _no_results(truth, COCO())
        evaluation = COCOeval(truth, answers, "keypoints")
        evaluation.params.kpt_oks_sigmas = sigmas(annotations.keypoints)
        evaluation.params.catIds = [annotations.category]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = np.where(evaluation.stats < 0, np.nan, evaluation.stats)  # -1 where there is no one to find
    return KeypointScores(*(float(v) for v in values))


def _no_results(truth: Any, answers: Any) -> Any:
    """Results without people, which `loadRes` cannot make."""
    answers.dataset = {**truth.dataset, "annotations": []}
    answers.createIndex()
    return answers
