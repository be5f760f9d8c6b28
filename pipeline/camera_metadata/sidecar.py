"""Find the camera file beside a video; `camera_file` describes its content."""

from __future__ import annotations

from pathlib import Path

from .known_camera import KnownCamera

_SUFFIX = ".camera.json"


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the file beside the video, if there is one; a `CameraReader`.

    Raises:
        InputError: See `load_camera_file`.
    """
    camera_file = camera_file_of(path)
    if not camera_file.exists():
        return None
    from .camera_file import load_camera_file  # imports pydantic, which takes a tenth of a second

    return KnownCamera(load_camera_file(camera_file, size), camera_file.name)


def camera_file_of(video: Path) -> Path:
    """Return the path of a video's camera file; that of a folder of pictures lies beside the folder."""
    return video.with_name((video.name if video.is_dir() else video.stem) + _SUFFIX)
