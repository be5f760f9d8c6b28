"""Keypoints in JSON: OpenPose, AlphaPose, MMPose and COCO's results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...skeleton import Skeleton
from .sightings import (
    UNKNOWN_PERSON,
    Row,
    Sightings,
    as_float32,
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
    return make_sightings("OpenPose JSON", rows, layout)


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
    person = found.person if found.person.any() else np.full_like(found.person, UNKNOWN_PERSON)
    return replace(found, person=person, numbered=True)


def read_mmpose_demo(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """Read what MMPose's demos write: a dictionary with `instance_info`, frames counted from 1."""
    frames = content["instance_info"]
    first = min([1, *(int(frame["frame_id"]) for frame in frames)])
    return _mmpose(frames, _named(content.get("meta_info")), first, layout)


def read_mmpose(content: Sequence[Mapping[str, Any]], layout: str | None) -> Sightings:
    """Read MMPose's list of frames, counted from 0."""
    return _mmpose(content, None, 0, layout)


def _mmpose(
    content: Sequence[Mapping[str, Any]], hint: Skeleton | None, first: int, layout: str | None
) -> Sightings:
    rows = [
        Row(
            int(frame["frame_id"]) - first,
            np.column_stack([as_float32(person["keypoints"])[:, :2], as_float32(person["keypoint_scores"])]),
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
