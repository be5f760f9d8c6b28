"""The directions from which 3D panels show people."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import UsageError


@dataclass(frozen=True)
class View:
    """A direction to look from, in degrees.

    Attributes:
        azimuth: 0 is the direction of the camera that filmed the video. Positive angles move the viewpoint
            around the people to the right of that camera: 90 looks from the right, 180 from behind the
            people.
        elevation: 0 is level, 90 looks straight down.

    Raises:
        ValueError: The azimuth is not finite, or the elevation is not from −90 to 90.
    """

    azimuth: float
    elevation: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.azimuth) or not -90 <= self.elevation <= 90:
            raise ValueError(
                "expected a finite azimuth and an elevation between −90 and 90 degrees, found "
                f"{self.azimuth:g} and {self.elevation:g}"
            )

    @property
    def title(self) -> str:
        """Return the panel's heading."""
        name = next((name for name, view in NAMED_VIEWS.items() if view == self), None)
        if name is not None and name != "turned":
            return f"{name} view"
        turn = (self.azimuth + 180) % 360 - 180
        side = "right" if turn >= 0 else "left"
        return f"turned {abs(turn):g}° {side}"


NAMED_VIEWS = {
    "camera": View(0, 8),
    "turned": View(55, 14),
    "side": View(90, 8),
    "back": View(180, 8),
    "top": View(0, 90),
}
"""`camera` looks from slightly above, so that the floor is visible."""

DEFAULT_VIEWS = (NAMED_VIEWS["camera"], NAMED_VIEWS["turned"])


def parse_view(text: str) -> View:
    """Parse a view: a name, or azimuth,elevation in degrees such as `70,15`.

    Raises:
        UsageError: The text is neither a name nor two angles.
    """
    if view := NAMED_VIEWS.get(text.strip().lower()):
        return view
    number = r"\s*([+-]?\d+(?:\.\d*)?)\s*"
    if match := re.fullmatch(f"{number}(?:,{number})?", text):
        try:
            return View(float(match[1]), float(match[2] or NAMED_VIEWS["turned"].elevation))
        except ValueError as error:
            raise UsageError(f"--view {text}: {error}") from error
    raise UsageError(
        f"--view {text}: expected {', '.join(NAMED_VIEWS)}, or azimuth,elevation in degrees such as 70,15"
    )
