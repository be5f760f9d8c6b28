"""Find the camera file beside a video; `camera_file` describes its content."""

from __future__ import annotations

import os
from pathlib import Path

from ..paths import base_name
from .known_camera import KnownCamera

_SUFFIX = ".camera.json"


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the file beside the video, if there is one; a `CameraReader`.

    Raises:
        InputError: See `load_camera_file`.
    """
    camera_file = camera_file_of(path)
    if not os.path.exists(camera_file):  # Path.exists() raises errors for names that are too long
        return None
    from .camera_file import load_camera_file, parse_camera_file  # pydantic takes a tenth of a second to load

    if parse_camera_file(camera_file).only_gravity:
        return None
    return KnownCamera(load_camera_file(camera_file, size), camera_file.name)


def read_gravity(path: Path) -> tuple[float, float, float] | None:
    """Return the direction of gravity by the file beside the video, if there is one that gives it.

    Returns:
        The direction in camera space (x right, y down, z forward) on the first frame.

    Raises:
        InputError: See `load_camera_file`.
    """
    camera_file = camera_file_of(path)
    if not os.path.exists(camera_file):  # Path.exists() raises errors for names that are too long
        return None
    from .camera_file import parse_camera_file  # pydantic takes a tenth of a second to load

    return parse_camera_file(camera_file).gravity


def camera_file_of(video: Path) -> Path:
    """Return the path of the camera file of a video, a sequence of pictures, or a pose table.

    That of a folder of pictures lies beside the folder.
    """
    return video.with_name(base_name(video) + _SUFFIX)
