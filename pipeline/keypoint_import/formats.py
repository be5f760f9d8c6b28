"""Recognise the format of a file of keypoints by its content, and read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...bounded import check_regular, read_file, read_npy
from ...errors import InputError, UsageError, one_line
from ...unpickle import load_object_npz
from .array_formats import load_hdf5, read_array, read_data_2d, read_detectron
from .json_formats import (
    read_alphapose_open,
    read_coco_annotations,
    read_coco_results,
    read_mmpose,
    read_mmpose_demo,
    read_mmpose_images,
    read_openpose,
    read_ultralytics,
)
from .sightings import Sightings

KNOWN = (
    "VideoPose3D's .npz (one video's boxes and keypoints, or data_2d_*), a folder of OpenPose's JSON, "
    "AlphaPose's JSON, MMPose's JSON, Ultralytics' JSON, COCO results or annotations, stacked hourglasses' "
    ".h5 or .npz (one array: poses), .npy (frames, keypoints, x y score)"
)


def read_sightings(files: Sequence[Path], video: Path, layout: str | None = None) -> Sightings:
    """Read the keypoints of one video. No code in a file is executed.

    Args:
        files: One file, or OpenPose's files of all frames.
        video: Its name selects one of the videos in a `data_2d_*` file.
        layout: The name of the layout. By default the file gives it, or the number of joints.

    Raises:
        InputError: If the format or the layout is not known, layouts are mixed, or a file is damaged.
        UsageError: If `layout` is not known or has another number of joints.
    """
    where = str(files[0] if len(files) == 1 else files[0].parent)
    try:
        if found := _read(files, video, layout):
            return found
        raise InputError(f"none of the known formats: {KNOWN}")
    except InputError as error:
        raise (error if where in str(error) else type(error)(f"{where}: {error}")) from error
    except UsageError:
        raise
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror})") from error
    except Exception as error:  # a damaged file can hold any objects
        raise InputError(
            f"{where}: damaged, or none of the known formats: {KNOWN} ({one_line(error)})"
        ) from error


def _read(files: Sequence[Path], video: Path, layout: str | None) -> Sightings | None:
    if len(files) > 1:
        contents = [_load_json(file) for file in files]
        if all(isinstance(content, list) for content in contents):
            return read_mmpose_images(files, contents, layout)
        return read_openpose(files, contents, layout)
    [path] = files
    check_regular(path)
    with path.open("rb") as file:
        magic = file.read(6)
    if magic == b"\x93NUMPY":
        return read_array({"keypoints": read_npy(path)}, layout)
    magic = magic[:4]
    if magic == b"\x89HDF":
        return read_array(load_hdf5(path), layout)
    if magic == b"PK\x03\x04":
        return _read_npz(path, video, layout)
    return _read_json(path, layout)


def _read_npz(path: Path, video: Path, layout: str | None) -> Sightings | None:
    content = load_object_npz(path)
    if {"boxes", "keypoints"} <= content.keys():
        return read_detectron(content, layout)
    if "positions_2d" in content:
        return read_data_2d(path, video, layout)
    if {"track", "pose"} <= content.keys():
        raise InputError(f"{path} is a pose table; `videopose lift` goes on from it")
    return read_array(content, layout)


def _read_json(path: Path, layout: str | None) -> Sightings | None:
    content = _load_json(path)
    if isinstance(content, dict) and "people" in content:
        return read_openpose([path], [content], layout)
    if isinstance(content, dict) and "instance_info" in content:
        return read_mmpose_demo(content, layout)
    if isinstance(content, dict) and content.get("images") and "annotations" in content:
        return read_coco_annotations(content, layout)
    if isinstance(content, dict) and content and all(_of_image(value) for value in content.values()):
        return read_alphapose_open(content, layout)
    if isinstance(content, list) and content and all(isinstance(frame, list | str) for frame in content):
        return read_ultralytics(content, layout)
    if isinstance(content, list):
        names = set(content[0]) if content else {"image_id", "keypoints"}
        if {"keypoints", "keypoint_scores"} <= names:
            return read_mmpose_images([path], [content], layout)
        if {"frame_id", "instances"} <= names:
            return read_mmpose(content, layout)
        if {"image_id", "keypoints"} <= names:
            return read_coco_results(content, layout)
    return None


def _of_image(value: Any) -> bool:
    """Whether a value is that of an image in AlphaPose's `--format open` or `--format cmu`."""
    return isinstance(value, dict) and ("people" in value or "bodies" in value)


def _load_json(path: Path) -> Any:
    try:
        return json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: none of the known formats: {KNOWN} (nor JSON: {one_line(error)})"
        ) from error
