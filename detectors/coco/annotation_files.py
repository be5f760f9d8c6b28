"""Read COCO's JSON files: annotations of people, and boxes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...bounded import as_float32, read_file
from ...errors import InputError, one_line
from .annotations import Annotations, FoundBoxes, ImageEntry, Person
from .keypoint_names import skeleton_from_file


def read_annotations(path: str | os.PathLike[str]) -> Annotations:
    """Read a COCO person-keypoint file.

    Raises:
        InputError: If the file cannot be read or is not such a file.
    """
    content = _read(path)
    try:
        if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= set(content):
            raise ValueError("it lacks images, annotations or categories")
        category = _category(content["categories"])
        names = tuple(str(name) for name in category["keypoints"])
        bones = tuple((int(a) - 1, int(b) - 1) for a, b in category.get("skeleton", ()))
        keypoints = skeleton_from_file(names, bones)
        entries = [
            ImageEntry(whole(i["id"]), str(i["file_name"]), whole(i["width"]), whole(i["height"]))
            for i in content["images"]
        ]
        images = {entry.id: entry for entry in entries}
        people = [
            _person(a, len(keypoints)) for a in content["annotations"] if a["category_id"] == category["id"]
        ]
        if strays := {p.image for p in people} - set(images):
            raise ValueError(f"annotations speak of image {min(strays)}, which is not listed")
        return Annotations(keypoints, images, people, int(category["id"]))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a COCO person-keypoint file ({one_line(error)})") from error


def read_boxes(path: str | os.PathLike[str]) -> FoundBoxes:
    """Read people's boxes, from annotations or from COCO results (a list with scores).

    Groups of people that are annotated as one (`iscrowd`) are left out.

    Raises:
        InputError: If the file cannot be read or has no boxes.
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
                found.setdefault(whole(entry["image_id"]), []).append(row)
        rows = {image: as_float32(value) for image, value in found.items()}
        if not all(np.isfinite(row).all() for row in rows.values()):
            raise ValueError("it has numbers that are too large")
        return FoundBoxes({i: r[:, :4] for i, r in rows.items()}, {i: r[:, 4] for i, r in rows.items()})
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a file of boxes in COCO's form ({one_line(error)})") from error


def _read(path: str | os.PathLike[str]) -> Any:
    try:
        return json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file ({one_line(error)})") from error


def whole(value: Any) -> int:
    """Return a whole number of a file. Raises `ValueError` if it is none, and `OverflowError` if infinite."""
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError(f"expected a whole number, found {str(value)[:40]!r}")
    return int(value)


def _category(categories: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The category with keypoints; if several have keypoints, the one called person."""
    found = [c for c in categories if c.get("keypoints")]
    people = [c for c in found if c.get("name") == "person"] or found
    if len(people) != 1:
        raise ValueError("one category, person, must name its keypoints")
    return people[0]


def _person(entry: Mapping[str, Any], count: int) -> Person:
    x, y, width, height = (float(v) for v in entry["bbox"])
    numbers = as_float32(entry.get("keypoints") or [0] * 3 * count)  # infinite ones are refused below
    if numbers.size != 3 * count:
        raise ValueError(f"annotation {entry['id']} has {numbers.size} numbers for {count} keypoints")
    keypoints = numbers.reshape(count, 3)
    keypoints[keypoints[:, 2] > 0, :2] += 0.5
    box = as_float32([x, y, x + width, y + height])
    if not (np.isfinite(box).all() and np.isfinite(keypoints).all()):
        raise ValueError(f"annotation {entry['id']} has numbers that are not finite")
    return Person(
        whole(entry["id"]),
        whole(entry["image_id"]),
        box,
        keypoints,
        float(entry.get("area", width * height)),
        bool(entry.get("iscrowd", 0)),
    )
