"""What the user states about the scene: the camera's pose, a person's height."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...errors import UsageError


@dataclass(frozen=True, kw_only=True)
class StatedCamera:
    """The camera's pose on the first frame as the user states it; None for what is to be found.

    Attributes:
        pitch: degrees that the camera looks up; negative: down.
        roll: degrees that the camera is turned clockwise, as its operator sees it.
        height: metres above the floor.
        gravity: direction of gravity in camera space (x right, y down, z forward), of any length.

    Raises:
        UsageError: A value is impossible.
    """

    pitch: float | None = None
    roll: float | None = None
    height: float | None = None
    gravity: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        for name, value, limit in (("pitch", self.pitch, 90), ("roll", self.roll, 180)):
            if value is not None and not -limit <= value <= limit:
                raise UsageError(f"--camera-{name}: expected −{limit} to {limit} degrees, found {value:g}")
        if self.height is not None and not math.isfinite(self.height):
            raise UsageError(f"--camera-height: expected metres, found {self.height:g}")
        if self.gravity is not None and not 0 < math.hypot(*self.gravity) < math.inf:
            raise UsageError("gravity: expected a direction of three numbers, not all 0")


_CENTIMETRES = (50.0, 250.0)


def check_height(centimetres: float) -> None:
    """Check that a person can have this height. Raises `UsageError`."""
    low, high = _CENTIMETRES
    if not low <= centimetres <= high:
        raise UsageError(f"--height: expected {low:g} to {high:g} centimetres, found {centimetres:g}")
