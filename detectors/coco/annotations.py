"""COCO person-keypoint JSON: images, people, and which keypoints they have.

COCO's keypoints are the numbers of pixels: the middle of the first one is 0. Everywhere else here that is
0.5, and 0 is the picture's edge, as it is for COCO's boxes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import Skeleton
from ..people import Image
from .keypoint_names import names_in_files, skeleton_from_file


@dataclass(frozen=True)
class ImageEntry:
    """An image: its number, its file's name within the images' folder, and its size in pixels."""

    id: int
    name: str
    width: int
    height: int

    def read(self, folder: Path) -> Image:
        """The image, RGB. Raises `InputError` where it cannot be read or has another size."""
        path = folder / self.name
        image = cv2.imread(os.fspath(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise InputError(f"{path} cannot be read as an image")
        height, width = image.shape[:2]
        if (width, height) != (self.width, self.height):
            said = f"{self.width} × {self.height}"
            raise InputError(f"{path} is {width} × {height}; its annotation says {said}")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True)
class Person:
    """An annotated person.

    box: (4,) float32, x0, y0, x1, y1 in pixels. keypoints: (K, 3) float32, x, y in pixels and what is known:
    0 nothing (x and y are 0), 1 where it is though hidden, 2 where it is. area: square pixels, COCO's measure
    of size. crowd: a group annotated as one; nobody trains on those, and they count nothing.
    """

    id: int
    image: int
    box: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    area: float
    crowd: bool = False

    @property
    def annotated(self) -> bool:
        """Whether any keypoint is known, and the person is one."""
        return not self.crowd and bool((self.keypoints[:, 2] > 0).any())


@dataclass(frozen=True)
class Annotations:
    """A file of annotated people. category: the number of "person" in that file."""

    keypoints: Skeleton
    images: Mapping[int, ImageEntry]
    people: Sequence[Person]
    category: int = 1

    @cached_property
    def by_image(self) -> Mapping[int, list[Person]]:
        """The people of every image, also of those without any."""
        found: dict[int, list[Person]] = {number: [] for number in self.images}
        for person in self.people:
            found[person.image].append(person)
        return found

    def trainable(self) -> list[Person]:
        """Those with keypoints and a box that is not empty."""
        return [p for p in self.people if p.annotated and (p.box[2:] > p.box[:2] + 1).all()]

    def as_json(self) -> dict[str, Any]:
        """The same as COCO's JSON has it."""
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
    """(…, 3) x, y and what is known or how sure that is → the same in COCO's numbering of pixels."""
    half = np.where(keypoints[..., 2:] > 0, [0.5, 0.5, 0], 0)
    return np.asarray(keypoints - half, np.float32)


def _rounded(values: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 2) for value in values.ravel()]


@dataclass(frozen=True)
class FoundBoxes:
    """Boxes that a file gives, by image: (P, 4) x0, y0, x1, y1 in pixels, and (P,) scores."""

    boxes: Mapping[int, NDArray[np.float32]]
    scores: Mapping[int, NDArray[np.float32]]

    @classmethod
    def true(cls, annotations: Annotations) -> FoundBoxes:
        """The annotated boxes of those who have keypoints."""
        found: dict[int, list[NDArray[np.float32]]] = {}
        for person in annotations.trainable():
            found.setdefault(person.image, []).append(person.box)
        boxes = {image: np.stack(of_image) for image, of_image in found.items()}
        return cls(boxes, {image: np.ones(len(of_image), np.float32) for image, of_image in boxes.items()})


def read_annotations(path: str | os.PathLike[str]) -> Annotations:
    """Read a COCO person-keypoint file. Raises `InputError` naming what is wrong."""
    content = _read(path)
    try:
        if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= set(content):
            raise ValueError("it lacks images, annotations or categories")
        category = _category(content["categories"])
        names = tuple(str(name) for name in category["keypoints"])
        bones = tuple((int(a) - 1, int(b) - 1) for a, b in category.get("skeleton", ()))
        keypoints = skeleton_from_file(names, bones)
        images = {
            int(i["id"]): ImageEntry(int(i["id"]), str(i["file_name"]), int(i["width"]), int(i["height"]))
            for i in content["images"]
        }
        people = [
            _person(a, len(keypoints)) for a in content["annotations"] if a["category_id"] == category["id"]
        ]
        if strays := {p.image for p in people} - set(images):
            raise ValueError(f"annotations speak of image {min(strays)}, which is not listed")
        return Annotations(keypoints, images, people, int(category["id"]))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is not a COCO person-keypoint file ({reason})") from error


def read_boxes(path: str | os.PathLike[str]) -> FoundBoxes:
    """People's boxes by image number, from annotations or from COCO results (a list with scores).

    Annotated groups of people are left out. Raises `InputError` naming what is wrong.
    """
    content = _read(path)
    try:
        entries = content["annotations"] if isinstance(content, dict) else content
        found: dict[int, list[list[float]]] = {}
        for entry in entries:
            if not entry.get("iscrowd"):
                x, y, width, height = (float(v) for v in entry["bbox"])
                row = [x, y, x + width, y + height, float(entry.get("score", 1))]
                if not (np.isfinite(row).all() and width > 0 and height > 0):
                    raise ValueError(f"not a box: {entry['bbox']}")
                found.setdefault(int(entry["image_id"]), []).append(row)
        rows = {image: np.array(value, np.float32) for image, value in found.items()}
        return FoundBoxes({i: r[:, :4] for i, r in rows.items()}, {i: r[:, 4] for i, r in rows.items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is not a file of boxes in COCO's form ({reason})") from error


def _read(path: str | os.PathLike[str]) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file ({error})") from error


def _category(categories: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one with keypoints; that called person where several have some."""
    found = [c for c in categories if c.get("keypoints")]
    people = [c for c in found if c.get("name") == "person"] or found
    if len(people) != 1:
        raise ValueError("one category, person, must name its keypoints")
    return people[0]


def _person(entry: Mapping[str, Any], count: int) -> Person:
    x, y, width, height = (float(v) for v in entry["bbox"])
    numbers = np.array(entry.get("keypoints") or [0] * 3 * count, np.float32)
    if numbers.size != 3 * count:
        raise ValueError(f"annotation {entry['id']} has {numbers.size} numbers for {count} keypoints")
    keypoints = numbers.reshape(count, 3)
    keypoints[keypoints[:, 2] > 0, :2] += 0.5
    box = np.array([x, y, x + width, y + height], np.float32)
    if not (np.isfinite(box).all() and np.isfinite(keypoints).all()):
        raise ValueError(f"annotation {entry['id']} has numbers that are not finite")
    return Person(
        int(entry["id"]),
        int(entry["image_id"]),
        box,
        keypoints,
        float(entry.get("area", width * height)),
        bool(entry.get("iscrowd", 0)),
    )
