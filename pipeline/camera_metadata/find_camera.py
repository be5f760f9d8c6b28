"""Which camera filmed: the one place that decides, and says where it knows it from.

What the user says on the command line counts first, then the video's side-car, then what the camera wrote
into the file (exiftool helps, where it is installed), and at last an assumption.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from ...errors import InputError, UsageError
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import DEFAULT_FOV, Intrinsics
from ...lifting.pose_table import PoseTable
from . import exif, exiftool, gopro, quicktime
from .mp4 import Mp4
from .sidecar import camera_file_of, load_camera_file

_BELIEVED = (5.0, 5000.0)  # millimetres: from a fisheye to a telescope


@dataclass(frozen=True)
class FocalLength:
    """What the user knows about the lens; at most one of the three.

    pixels: focal length in pixels of the upright frame. mm35: 35 mm equivalent. hfov: horizontal angle of
    view in degrees. Raises `UsageError` for more than one, or for impossible values.
    """

    pixels: float | None = None
    mm35: float | None = None
    hfov: float | None = None

    def __post_init__(self) -> None:
        given = [v for v in (self.pixels, self.mm35, self.hfov) if v is not None]
        if len(given) > 1:
            raise UsageError("give one of --focal-px, --focal-35mm and --hfov, not several")
        if any(not 0 < v < math.inf for v in given) or (self.hfov is not None and self.hfov >= 180):
            raise UsageError("a focal length is positive, an angle of view between 0 and 180 degrees")


def resolve(focal: FocalLength, size: tuple[int, int]) -> tuple[Intrinsics, str]:
    """The camera for a video of this size (width, height; upright), and its source in words."""
    if focal.pixels is not None:
        return Intrinsics.centred(focal.pixels, size), f"--focal-px {focal.pixels:g}"
    if focal.mm35 is not None:
        return Intrinsics.from_35mm(focal.mm35, size), f"--focal-35mm {focal.mm35:g}"
    if focal.hfov is not None:
        return Intrinsics.from_fov(focal.hfov, size[0], size), f"--hfov {focal.hfov:g}"
    return Intrinsics.assumed(size), f"assumed: {DEFAULT_FOV:g}° across the longer side"


def find_lens(path: str | os.PathLike[str], focal: FocalLength, size: tuple[int, int]) -> tuple[Lens, str]:
    """The lens that filmed a video, and where that is known from, in words.

    path: a video, or a sequence of pictures as libav takes it (frame-%04d.jpg). size: width and height of its
    frames as decoded, upright. Raises `InputError` for a side-car that cannot be used.
    """
    path, known = Path(path), None
    if not any(astuple(focal)):
        side_car = camera_file_of(path)
        if side_car.exists():
            known = load_camera_file(side_car, size), side_car.name
        else:
            known = _from_metadata(path, size)
    if known is None:
        intrinsics, source = resolve(focal, size)
        known = Lens(intrinsics), source
    return known


def lens_of(table: PoseTable) -> Lens:
    """The lens of a pose table: its intrinsics, with the `Lens.distortion` that `meta` records.

    Raises `InputError` where that is damaged.
    """
    distortion = table.meta.get("distortion")
    if distortion is None:
        return Lens(table.intrinsics)
    try:
        return Lens.of_model(table.intrinsics, distortion["model"], distortion["coefficients"])
    except (TypeError, LookupError, ValueError) as error:
        raise InputError(f"the distortion that a pose table records cannot be used: {error}") from error


def _from_metadata(path: Path, size: tuple[int, int]) -> tuple[Lens, str] | None:
    """By what the camera wrote; None where it did not, or the file cannot be read at all."""
    still, found = exif.first_still(path), None
    if still is not None:
        found, source = believable([exif.focal_length(still)]), f"EXIF of {still.name}"
    else:
        with suppress(OSError), path.open("rb") as opened:
            file = Mp4(opened)
            found, source = believable(quicktime.focal_lengths(file)), "QuickTime metadata"
            if found is None and (view := gopro.field_of_view(file)) is not None:
                return view.lens(size)
    if found is None:
        found, source = believable(exiftool.focal_lengths(still or path)), "exiftool"
    if found is None:
        return None
    return Lens(Intrinsics.from_35mm(found, size)), f"{source}: {found:g} mm (35 mm equivalent)"


def believable(values: Iterable[object]) -> float | None:
    """The first focal length in millimetres among what files say of it: 26, "26", "26.00mm".

    Passed over are 0, which stands for "unknown" in EXIF, and whatever no lens has.
    """
    for value in values:
        text = re.fullmatch(r"\s*(\d{1,9}(\.\d{1,20})?)\s*(mm)?[\s\0]*", str(value), re.IGNORECASE)
        if text is not None and _BELIEVED[0] <= (number := float(text[1])) <= _BELIEVED[1]:
            return number
    return None
