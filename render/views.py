"""Where a 3D panel is looked at from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import UsageError


@dataclass(frozen=True)
class View:
    """A direction to look from, in degrees.

    azimuth: 0 is the filming camera's own side; positive walks round the people to the filming camera's
        right, so 90 sees them from the right edge of the picture and 180 from behind.
    elevation: 0 is level, 90 straight down.
    Raises `ValueError` unless azimuth is finite and −90 ≤ elevation ≤ 90.
    """

    azimuth: float
    elevation: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.azimuth) or not -90 <= self.elevation <= 90:
            raise ValueError("azimuth must be finite and elevation between −90 and 90 degrees")

    @property
    def title(self) -> str:
        """A few words for the panel's heading."""
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
"""`camera` stands a little higher than level, so that the floor is seen as a floor."""

DEFAULT_VIEWS = (NAMED_VIEWS["camera"], NAMED_VIEWS["turned"])


def parse_view(text: str) -> View:
    """A view from the command line's text: a name, or azimuth,elevation in degrees (`70,15`).

    Raises `UsageError`.
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
        f"--view {text}: give one of {', '.join(NAMED_VIEWS)}, or azimuth,elevation in degrees such as 70,15"
    )
