"""Which camera filmed: the one place that decides, and says where it knows it from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import UsageError
from ..lifting.camera import DEFAULT_FOV, Intrinsics


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
