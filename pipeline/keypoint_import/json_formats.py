"""Keypoints in JSON: OpenPose, AlphaPose, MMPose, Ultralytics, and COCO's results and annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bounded import as_float32
from ...errors import InputError
from ...skeleton import Skeleton
from .sightings import (
    UNKNOWN_PERSON,
    Row,
    Sightings,
    frame_number,
    make_sightings,
    person_number,
    triples,
)


def read_openpose(files: Sequence[Path], contents: Sequence[Any], layout: str | None) -> Sightings:
    """Read OpenPose's `--write_json`: one file a frame.

    `people` have `pose_keypoints_2d` [x, y, score, …]. `person_id` is [-1] unless people were tracked.
    """
    rows = [
        Row(
            frame_number(file.name),
            triples(person["pose_keypoints_2d"]),
            person_number(person.get("person_id")),
        )
        for file, content in zip(files, contents, strict=True)
        for person in content["people"]
        if person.get("pose_keypoints_2d")
    ]
    found = make_sightings("OpenPose JSON", rows, layout)
    if len(files) == 1:
        return found
    return replace(found, numbered=True, first=min(frame_number(file.name) for file in files))


def read_alphapose_open(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """Read AlphaPose's `--format open` and `--format cmu`: a dictionary by images' names.

    Each has `people` with `pose_keypoints_2d`, or `bodies` with `joints`: [x, y, score, …].
    """
    rows = [
        Row(
            frame_number(image),
            triples(person["pose_keypoints_2d"] if "pose_keypoints_2d" in person else person["joints"]),
            person_number(person.get("idx", person.get("person_id"))),
        )
        for image, frame in content.items()
        for person in frame.get("people", frame.get("bodies", ()))
    ]
    return _tracked(replace(make_sightings("AlphaPose JSON", rows, layout), numbered=True))


def read_ultralytics(content: Sequence[Any], layout: str | None) -> Sightings:
    """Read the list of Ultralytics' results, one element a frame: a list of people, or its JSON as a text.

    `keypoints` have lists `x` and `y`, which are 0 if a keypoint was not found, and sometimes `visible`.
    """
    frames = [json.loads(frame) if isinstance(frame, str) else frame for frame in content]
    rows = [
        Row(number, _columns(person["keypoints"]), person_number(person.get("track_id")))
        for number, frame in enumerate(frames)
        for person in frame
        if person.get("keypoints")
    ]
    return replace(make_sightings("Ultralytics JSON", rows, layout), length=len(frames))


def _columns(keypoints: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return Ultralytics' lists of x, y and scores as (J, 3)."""
    xy = np.column_stack([as_float32(keypoints["x"]), as_float32(keypoints["y"])])
    score = as_float32(keypoints["visible"]) if keypoints.get("visible") else np.ones(len(xy), np.float32)
    return np.column_stack([xy, np.where((xy != 0).any(1), score, 0)]).astype(np.float32)


def read_coco_annotations(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """Read COCO's annotations: `images` with names that end in the frame's number, and people on them.

    `keypoints` are [x, y, visibility, …]: 0 not annotated, 1 annotated but hidden, 2 visible; other numbers
    are taken as scores. Groups (`iscrowd`) are left out.
    """
    images = {image["id"]: image for image in content["images"]}
    numbers = {key: frame_number(image["file_name"]) for key, image in images.items()}
    if len({*numbers.values()}) < len(numbers):
        raise InputError("several of its images have the same number in their names")
    people = [a for a in content["annotations"] if a.get("keypoints") and not a.get("iscrowd")]
    rows = [
        Row(
            numbers[person["image_id"]],
            triples(person["keypoints"]),
            person_number(person.get("track_id", (person.get("attributes") or {}).get("track_id"))),
        )
        for person in people
    ]
    if all(np.isin(row.keypoints[:, 2], (0, 1, 2)).all() for row in rows):
        rows = [replace(row, keypoints=row.keypoints * as_float32([1, 1, 0.5])) for row in rows]
    hint = next((c["keypoints"] for c in content.get("categories", ()) if c.get("keypoints")), None)
    named = Skeleton.from_names([str(name) for name in hint]) if hint else None
    sizes = {(int(image["width"]), int(image["height"])) for image in images.values() if "width" in image}
    found = make_sightings("COCO annotations", rows, layout, named)
    first = min(numbers.values())
    return replace(found, numbered=True, first=first, size=sizes.pop() if len(sizes) == 1 else None)


def read_coco_results(content: Sequence[Mapping[str, Any]], layout: str | None) -> Sightings:
    """Read COCO's results, and AlphaPose's, which are similar: `keypoints` [x, y, score, …].

    COCO's `image_id` is a number, AlphaPose's a file's name ("12.jpg"). AlphaPose's `idx` is the person's
    number; without tracking it is 0 for everyone.
    """
    rows = [
        Row(
            frame_number(item["image_id"]),
            triples(item["keypoints"]),
            person_number(item.get("idx", item.get("track_id"))),
        )
        for item in content
    ]
    alphapose = any(isinstance(item["image_id"], str) for item in content)
    found = make_sightings("AlphaPose JSON" if alphapose else "COCO results", rows, layout)
    return _tracked(replace(found, numbered=True))


def _tracked(found: Sightings) -> Sightings:
    """The same people without numbers if all are numbered 0, as AlphaPose does without tracking."""
    if found.person.any():
        return found
    return replace(found, person=np.full_like(found.person, UNKNOWN_PERSON))


def read_mmpose_demo(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """Read what MMPose's demos write: a dictionary with `instance_info`, frames counted from 1."""
    frames = content["instance_info"]
    first = min([1, *(int(frame["frame_id"]) for frame in frames)])
    return _mmpose(frames, _named(content.get("meta_info")), first, layout)


def read_mmpose(content: Sequence[Mapping[str, Any]], layout: str | None) -> Sightings:
    """Read MMPose's list of frames, counted from 0."""
    return _mmpose(content, None, 0, layout)


def read_mmpose_images(files: Sequence[Path], contents: Sequence[Any], layout: str | None) -> Sightings:
    """Read what MMPose's inferencer writes for images: for each a file with a list of people."""
    rows = [
        Row(frame_number(file.name), _of_mmpose(person), person_number(person.get("track_id")))
        for file, people in zip(files, contents, strict=True)
        for person in people
    ]
    found = make_sightings("MMPose JSON", rows, layout)
    return replace(found, numbered=True, first=min(frame_number(file.name) for file in files))


def _of_mmpose(person: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return a person's keypoints as (J, 2 or 3); some versions write no scores."""
    xy = as_float32(person["keypoints"])[:, :2]
    scores = person.get("keypoint_scores")
    return xy if scores is None else np.column_stack([xy, as_float32(scores)])


def _mmpose(
    content: Sequence[Mapping[str, Any]], hint: Skeleton | None, first: int, layout: str | None
) -> Sightings:
    rows = [
        Row(
            int(frame["frame_id"]) - first,
            _of_mmpose(person),
            person_number(person.get("track_id")),
        )
        for frame in content
        for person in frame["instances"]
    ]
    return replace(make_sightings("MMPose JSON", rows, layout, hint), length=len(content))


def _named(meta: Any) -> Skeleton | None:
    """The skeleton by the names of keypoints in MMPose's `meta_info`."""
    if not isinstance(meta, dict) or not meta.get("keypoint_id2name"):
        return None
    names = {int(number): str(name) for number, name in meta["keypoint_id2name"].items()}
    return Skeleton.from_names([names[number] for number in range(len(names))])
