"""The focal length as the user states it, and the camera computed from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...errors import UsageError
from ...lifting.cameras.intrinsics import DEFAULT_FOV, Intrinsics
from ..option_types import as_number


@dataclass(frozen=True)
class FocalLength:
    """The focal length in one of three forms, or nothing.

    Attributes:
        pixels: Focal length in pixels of the upright frame.
        mm35: 35 mm equivalent focal length, millimetres.
        hfov: Horizontal angle of view, degrees.

    Raises:
        UsageError: More than one value is given, or a value is impossible.
    """

    pixels: float | None = None
    mm35: float | None = None
    hfov: float | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("pixels", "mm35", "hfov") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError("give one of --focal-px, --focal-35mm and --hfov, not several")
        for name in given:
            value = as_number("focal length or angle of view", getattr(self, name), float)
            object.__setattr__(self, name, value)
            if not 0 < value < math.inf or (self.hfov is not None and value >= 180):
                raise UsageError("a focal length is positive, an angle of view between 0 and 180 degrees")

    @property
    def given(self) -> bool:
        """Whether the user stated anything."""
        return self != FocalLength()


def camera_of(focal: FocalLength, size: tuple[int, int]) -> tuple[Intrinsics, str]:
    """Return the camera for a video, and where its focal length comes from, in words.

    Args:
        focal: What the user states. If it is empty, `DEFAULT_FOV` across the longer side is assumed.
        size: Width and height of the upright frames in pixels.
    """
    if focal.pixels is not None:
        return Intrinsics.centred(focal.pixels, size), f"--focal-px {focal.pixels:g}"
    if focal.mm35 is not None:
        return Intrinsics.from_35mm(focal.mm35, size), f"--focal-35mm {focal.mm35:g}"
    if focal.hfov is not None:
        return Intrinsics.from_fov(focal.hfov, size[0], size), f"--hfov {focal.hfov:g}"
    return Intrinsics.assumed(size), f"assumed: {DEFAULT_FOV:g}° across the longer side"
