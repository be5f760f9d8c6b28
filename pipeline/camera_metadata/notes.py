"""What the user is told about the camera of a video."""

from __future__ import annotations

import math

from ...lifting.cameras.intrinsics import Intrinsics
from .phone import OTHER_MODES

PLAUSIBLE_ANGLES = (5.0, 150.0)
"""Degrees across the longer side; for a camera outside of this range there is a warning."""

_LONGEST_LENS = 200.0  # millimetres, 35 mm equivalent, of lenses that usually film people


def camera_notes(
    name: str, source: str, camera: Intrinsics, size: tuple[int, int], *, camera_file: str | None = None
) -> list[str]:
    """Return lines for the user about a camera that is assumed, stated, or implausible.

    Args:
        name: Name of the video, or what else the lines are about.
        source: Where the camera comes from, as `find_camera` says it.
        camera: The camera.
        size: Width and height of the upright frames in pixels.
        camera_file: Name of the camera file that is read for it; None if none is.
    """
    angle = angle_of_view(camera, size)
    stated = source.startswith("--")
    seen = f"{name}: camera {source}, which is {angle:.3g}° across the longer side"
    if not PLAUSIBLE_ANGLES[0] <= angle <= PLAUSIBLE_ANGLES[1]:
        low, high = PLAUSIBLE_ANGLES
        return [f"warning: {seen}; expected {low:g} to {high:g}°. {_way_out(source)}"]
    if source.startswith("assumed") or source.endswith(OTHER_MODES):
        beside = "" if camera_file is None else f", or a {camera_file} beside it"
        return [f"note: camera {source}; --focal-px, --focal-35mm or --hfov would tell{beside}"]
    return [seen] if stated else []


def angle_of_view(camera: Intrinsics, size: tuple[int, int]) -> float:
    """Return the angle across the longer side of the picture, in degrees, without distortion."""
    focal = camera.fx if size[0] >= size[1] else camera.fy
    return math.degrees(2 * math.atan(max(size) / 2 / focal))


def _way_out(source: str) -> str:
    """What an implausible value may have meant, or what replaces it."""
    option, _, value = source.partition(" ")
    if option == "--hfov" and float(value) < math.pi:
        return f"--hfov takes degrees; {value} radians are --hfov {math.degrees(float(value)):.3g}"
    if option == "--focal-35mm" and float(value) > _LONGEST_LENS:
        return f"--focal-35mm takes millimetres; a focal length in pixels is --focal-px {value}"
    if option == "--focal-px" and float(value) < _LONGEST_LENS:
        return f"--focal-px takes pixels; a 35 mm equivalent is --focal-35mm {value}"
    return "--focal-px, --focal-35mm or --hfov replace it"
