"""The result of a reader of camera metadata, and functions that several readers share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics

_POSSIBLE = (5.0, 5000.0)  # millimetres, 35 mm equivalent: from a fisheye to a telescope


class KnownCamera(NamedTuple):
    """The lens that filmed a video.

    Attributes:
        lens: Intrinsics and distortion, in pixels of the upright frame.
        source: Where this information comes from, in words.
    """

    lens: Lens
    source: str


CameraReader = Callable[[Path, tuple[int, int]], KnownCamera | None]
"""A reader of camera metadata: a video's path, and width and height of its upright frames, to the camera.

It returns None if the file states nothing that can be used, or cannot be read. The path may also be a
sequence of pictures, see `stills.first_still`.
"""


def by_equivalent_focal_length(
    values: Iterable[object], size: tuple[int, int], source: str
) -> KnownCamera | None:
    """Return the camera of the first possible 35 mm equivalent focal length, or None.

    Args:
        values: What a file states, in any form: 26, "26", "26.00mm".
        size: Width and height of the upright frames in pixels.
        source: Where the values come from, in words.
    """
    found = first_possible(values)
    if found is None:
        return None
    lens = Lens(Intrinsics.from_35mm(found, size))
    return KnownCamera(lens, f"{source}: {found:g} mm (35 mm equivalent)")


def first_possible(values: Iterable[object]) -> float | None:
    """Return the first focal length in millimetres that a lens can have, or None.

    The value 0, which means "unknown" in EXIF, is skipped like any other impossible value.
    """
    for value in values:
        text = re.fullmatch(r"\s*(\d{1,9}(\.\d{1,20})?)\s*(mm)?[\s\0]*", str(value), re.IGNORECASE)
        if text is not None and _POSSIBLE[0] <= (number := float(text[1])) <= _POSSIBLE[1]:
            return number
    return None
