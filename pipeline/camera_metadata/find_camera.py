"""Find the camera that filmed a video, and the source of this information.

The user's options have priority, then the readers in their order. If none knows the camera, a default is
assumed.
"""

from __future__ import annotations

import os
from pathlib import Path

from ...lifting.cameras.distortion import Lens
from . import exif, exiftool, gopro, phone, quicktime, sidecar
from .focal_length import FocalLength, camera_of
from .known_camera import CameraReader, KnownCamera

READERS: tuple[CameraReader, ...] = (
    sidecar.read_camera,
    exif.read_camera,
    quicktime.read_camera,
    gopro.read_camera,
    exiftool.read_camera,
    phone.read_camera,
)
"""The readers of camera metadata, in order. The first result is used."""


def find_camera(path: str | os.PathLike[str], focal: FocalLength, size: tuple[int, int]) -> KnownCamera:
    """Return the camera that filmed a video.

    Args:
        path: A video, or a sequence of pictures as libav takes it (frame-%04d.jpg).
        focal: What the user states about the lens.
        size: Width and height of the decoded, upright frames in pixels.

    Raises:
        InputError: There is a camera file beside the video that cannot be used.
    """
    if not focal.given:
        for read_camera in READERS:
            if (known := read_camera(Path(path), size)) is not None:
                return known
    intrinsics, source = camera_of(focal, size)
    return KnownCamera(Lens(intrinsics), source)
