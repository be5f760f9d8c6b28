"""Images, and the people that are annotated on them.

Positions are in pixels, and 0 is the edge of the image. COCO's files measure keypoints from the centre of the
first pixel instead, which is 0.5 here; `to_coco` converts. Boxes are the same in both.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from ...errors import InputError, shown
from ...skeleton import Skeleton
from ..people import Image
from .keypoint_names import names_in_files

_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")


@dataclass(frozen=True)
class ImageEntry:
    """An image of a COCO file.

    Attributes:
        id: The image's number.
        name: The file's name within the folder of images.
        width: Pixels.
        height: Pixels.
    """

    id: int
    name: str
    width: int
    height: int

    def read(self, folder: Path) -> Image:
        """Read the image, in RGB.

        Raises:
            InputError: If it cannot be read or has another size.
        """
        path = folder / self.name
        if (stated := _stated_size(path)) is not None:  # before memory is allocated for it
            self._check_size(path, stated)
        image = cv2.imread(os.fspath(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise InputError(f"{path} cannot be read as an image")
        self._check_size(path, (image.shape[1], image.shape[0]))
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def _check_size(self, path: Path, size: tuple[int, int]) -> None:
        if size != (self.width, self.height):
            expected = f"{self.width} × {self.height}"
            raise InputError(f"{path} is {size[0]} × {size[1]}; its annotation says {expected}")


def _stated_size(path: Path) -> tuple[int, int] | None:
    """Return width and height in the header of an image; None if Pillow does not know the format."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about very large images, which are not decoded
            with Picture.open(path, formats=_FORMATS) as picture:
                return picture.size
    except Exception:  # Pillow raises many kinds of errors for damaged files; OpenCV has the last word
        return None


@dataclass(frozen=True)
class Person:
    """An annotated person.

    Attributes:
        id: The annotation's number.
        image: The image's number.
        box: (4,) float32, x0, y0, x1, y1 in pixels.
        keypoints: (K, 3) float32, x, y in pixels and COCO's visibility: 0 not annotated (x and y are 0),
            1 annotated but hidden, 2 annotated and visible.
        area: Square pixels, COCO's measure of a person's size.
        crowd: Whether this is a group annotated as one. Groups are neither trained on nor measured.
    """

    id: int
    image: int
    box: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    area: float
    crowd: bool = False

    @property
    def annotated(self) -> bool:
        """Whether this is one person with at least one annotated keypoint."""
        return not self.crowd and bool((self.keypoints[:, 2] > 0).any())


@dataclass(frozen=True)
class Annotations:
    """A file of annotated people.

    Attributes:
        keypoints: Which keypoints people have.
        images: Images by their number.
        people: Everyone annotated, groups included.
        category: The number of the category "person" in the file.
    """

    keypoints: Skeleton
    images: Mapping[int, ImageEntry]
    people: Sequence[Person]
    category: int = 1

    @cached_property
    def by_image(self) -> Mapping[int, list[Person]]:
        """The people of every image; an empty list for images without people."""
        found: dict[int, list[Person]] = {number: [] for number in self.images}
        for person in self.people:
            found[person.image].append(person)
        return found

    def trainable(self) -> list[Person]:
        """Return the people with keypoints and a box that is not empty."""
        return [p for p in self.people if p.annotated and (p.box[2:] > p.box[:2] + 1).all()]

    def check_images(self, folder: Path, option: str = "--images") -> None:
        """Check, before any image is worked on, that those of annotated people are there.

        Args:
            folder: The folder of the images.
            option: The option that names the folder, for the message.

        Raises:
            InputError: If one is not there.
        """
        numbers = {person.image for person in self.people if person.annotated}
        names = [self.images[number].name for number in numbers]
        absent = sorted(name for name in names if not os.path.isfile(folder / name))
        if absent:
            raise InputError(
                f"{len(absent)} of the {len(names)} images with people are not in {folder}, for example "
                f"{shown(absent[0])}; {option} names their folder"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the content of a COCO file, as plain values."""
        bones = [[a + 1, b + 1] for a, b in self.keypoints.bones]
        return {
            "categories": [
                {
                    "id": self.category,
                    "name": "person",
                    "supercategory": "person",
                    "keypoints": list(names_in_files(self.keypoints)),
                    "skeleton": bones,
                }
            ],
            "images": [
                {"id": i.id, "file_name": i.name, "width": i.width, "height": i.height}
                for i in self.images.values()
            ],
            "annotations": [
                {
                    "id": p.id,
                    "image_id": p.image,
                    "category_id": self.category,
                    "bbox": _rounded(np.concatenate([p.box[:2], p.box[2:] - p.box[:2]])),
                    "area": round(p.area, 2),
                    "iscrowd": int(p.crowd),
                    "num_keypoints": int((p.keypoints[:, 2] > 0).sum()),
                    "keypoints": _rounded(to_coco(p.keypoints)),
                }
                for p in self.people
            ],
        }


def to_coco(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert keypoints to COCO's convention, which measures from the centre of the first pixel.

    Shape:
        keypoints: (…, 3), x, y in pixels, and visibility or score. Those with visibility 0 stay as they are.
    """
    half = np.where(keypoints[..., 2:] > 0, [0.5, 0.5, 0], 0)
    return np.asarray(keypoints - half, np.float32)


def _rounded(values: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 2) for value in values.ravel()]


@dataclass(frozen=True)
class FoundBoxes:
    """People's boxes by image.

    Attributes:
        boxes: For each image (P, 4) float32, x0, y0, x1, y1 in pixels.
        scores: For each image (P,) float32.
    """

    boxes: Mapping[int, NDArray[np.float32]]
    scores: Mapping[int, NDArray[np.float32]]

    @classmethod
    def true(cls, annotations: Annotations) -> FoundBoxes:
        """Return the annotated boxes of people with keypoints."""
        found: dict[int, list[NDArray[np.float32]]] = {}
        for person in annotations.trainable():
            found.setdefault(person.image, []).append(person.box)
        boxes = {image: np.stack(of_image) for image, of_image in found.items()}
        return cls(boxes, {image: np.ones(len(of_image), np.float32) for image, of_image in boxes.items()})
