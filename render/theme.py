"""The colours of all drawings, and the type of a picture."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB: a canvas to draw on, or a video frame to draw."""

Colour = tuple[int, int, int]
"""Red, green and blue, 0–255."""

PAGE: Colour = (233, 237, 242)
CARD: Colour = (255, 255, 255)
BORDER: Colour = (208, 215, 224)
TEXT: Colour = (31, 41, 55)
MUTED: Colour = (104, 117, 134)
GRID: Colour = (188, 198, 210)
SHADOW: Colour = (214, 219, 227)
EMPTY: Colour = (38, 44, 54)

# Blue and vermillion of Okabe and Ito's palette: distinct in grey and under common colour blindness.
LEFT: Colour = (0, 114, 178)
RIGHT: Colour = (213, 94, 0)

DAMAGED: Colour = (240, 180, 0)
"""Marks damaged frames."""
FILLED, UNSEEN = 0.6, 0.8  # share of the panel's colour in joints of filled rows, and in unseen ones

# For each person's trunk, head and label; distinct from LEFT and RIGHT.
TRACKS: tuple[Colour, ...] = ((63, 74, 90), (0, 138, 102), (170, 68, 153), (138, 128, 38), (128, 140, 156))


@cache  # called for every limb of every frame, but with few different arguments
def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Return `colour` mixed with a `share` (0–1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def track_colour(rank: int) -> Colour:
    """Return the colour of the person at index `rank` of the table; colours repeat after five people."""
    return TRACKS[rank % len(TRACKS)]
