"""What determines a result, in a form that two runs can compare."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path

from ...files import file_digest
from ...lifting.cameras.distortion import Lens
from .options import DetectOptions, LiftOptions

Request = dict[str, object]
"""All that determines a result, as values that JSON can hold."""

_PACKAGES = ("videopose", "av", "numpy", "onnxruntime", "opencv-python-headless", "torch")


def detection_request(options: DetectOptions, *, video_digest: str, lens: Lens) -> Request:
    """Return what determines the people found in a video, except the computer.

    Args:
        options: How people are found and followed.
        video_digest: The video's sha256.
        lens: The camera, by which the background is followed.
    """
    return {
        "video": video_digest,
        "lens": lens.parameters.tolist(),
        "options": _values(options, DetectOptions),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def of_parts(options: DetectOptions) -> DetectOptions:
    """Return the options that affect the kept parts of a detection.

    People are chosen and gaps are filled at the end, so the parts serve all values of these options.
    """
    return replace(options, people=None, select=(), select_at=(), max_gap=0.0)


def lifting_digest(options: LiftOptions) -> str:
    """Return the digest of what determines the poses, beside the keypoints."""
    return request_digest({"options": _values(options, LiftOptions)})


def request_digest(request: Mapping[str, object]) -> str:
    """Return the sha256 of a request, in hexadecimal."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _values(options: object, kind: type[DetectOptions] | type[LiftOptions]) -> dict[str, str]:
    """Return the options of this kind as text. A file is told by its content, too."""
    values = {each.name: getattr(options, each.name) for each in fields(kind) if each.name != "device"}
    return {name: f"{value} {_content(value)}" for name, value in values.items()}


def _content(value: object) -> str:
    """Return the sha256 of a file; nothing for another value."""
    if isinstance(value, (str, os.PathLike)) and Path(value).is_file():
        return file_digest(Path(value))
    return ""
