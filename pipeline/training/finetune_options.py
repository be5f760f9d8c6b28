"""The options of `videopose finetune-detector`, and the annotations that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...detectors.coco.annotation_files import read_annotations
from ...detectors.coco.annotations import Annotations
from ...errors import UsageError


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """The options of `videopose finetune-detector`.

    Attributes:
        detector: "cpn" or "mask-rcnn".
        images: Folder of the annotated images.
        annotations: COCO annotations to train on.
        output: The folder to write to.
        base: Weights to begin with; None for random ones (CPN) or the model zoo's (Mask R-CNN).
        recipe: "paper", "quick" or a YAML file.
        overrides: Values that replace those of the recipe, by dotted name.
        iterations: Length of the training; None for the recipe's.
        validation: Annotations that AP is measured on; None for those trained on.
        validation_images: Folder of the images of `validation`; None for `images`.
        resume: Whether to go on from the checkpoint in `output`.
        device: "auto", "cpu", "cuda", …
        gpus: Number of GPUs (Mask R-CNN).
        overwrite: Whether results in `output` may be replaced.
    """

    detector: str
    images: Path
    annotations: Path
    output: Path
    base: Path | None = None
    recipe: str = "paper"
    overrides: Mapping[str, object]
    iterations: int | None = None
    validation: Path | None = None
    validation_images: Path | None = None
    resume: bool = False
    device: str = "auto"
    gpus: int = 1
    overwrite: bool = False


@dataclass(frozen=True)
class FinetuneData:
    """Annotations and the folders of their images.

    Attributes:
        train: What is trained on.
        images: Its images.
        validation: What AP is measured on.
        validation_images: Its images.
        measured_on: What AP is measured on, in words.
    """

    train: Annotations
    images: Path
    validation: Annotations
    validation_images: Path
    measured_on: str


def read_data(options: FinetuneOptions) -> FinetuneData:
    """Read the annotations.

    Raises:
        InputError: A file cannot be read, or an image is not there.
        UsageError: The validation annotations have other keypoints, or no person with keypoints.
    """
    train = read_annotations(options.annotations)
    train.check_images(options.images)
    if options.validation is None:
        return FinetuneData(train, options.images, train, options.images, "the training images")
    validation = read_annotations(options.validation)
    if validation.keypoints.names != train.keypoints.names:
        raise UsageError(f"{options.validation} and {options.annotations} have different keypoints")
    if not validation.trainable():
        raise UsageError(f"{options.validation}: no person is annotated with keypoints")
    images = options.validation_images or options.images
    validation.check_images(images, "--validation-images")
    return FinetuneData(train, options.images, validation, images, str(options.validation))
