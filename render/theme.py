"""Colours and the few measures that every drawing shares."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, upright."""

Colour = tuple[int, int, int]
"""Red, green, blue, 0–255."""

PAGE: Colour = (233, 237, 242)
CARD: Colour = (255, 255, 255)
BORDER: Colour = (208, 215, 224)
TEXT: Colour = (31, 41, 55)
MUTED: Colour = (104, 117, 134)
GRID: Colour = (188, 198, 210)
SHADOW: Colour = (214, 219, 227)
EMPTY: Colour = (38, 44, 54)

# Blue and vermillion of Okabe and Ito's palette: told apart under every common colour blindness, and in grey.
LEFT: Colour = (0, 114, 178)
RIGHT: Colour = (213, 94, 0)

# One for each person's trunk, head and label; none is near LEFT or RIGHT.
TRACKS: tuple[Colour, ...] = ((63, 74, 90), (0, 138, 102), (170, 68, 153), (138, 128, 38), (128, 140, 156))


@cache  # few pairs are ever asked for, but for every limb of every frame
def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with `share` (0–1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def track_colour(rank: int) -> Colour:
    """The colour of the person who is `rank`-th in the table; it repeats after five people."""
    return TRACKS[rank % len(TRACKS)]
