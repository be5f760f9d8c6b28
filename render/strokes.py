"""Anti-aliased limbs, discs and text, placed with an accuracy of a fraction of a pixel."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from ..files import readable_name
from .theme import Colour, Picture

_SHIFT = 4  # fixed point with 1/16 pixel, cv2's `shift`
_BLEED = 0.7  # pixels by which cv2's smooth edge extends beyond the outline
_CAP_STEPS = 6  # straight pieces of each rounded end
_DISC_CORNERS = 24
_FAR = 1e4  # pixels; shapes further out cannot touch a panel


def capsules(
    starts: NDArray[np.floating], ends: NDArray[np.floating], radii: NDArray[np.floating]
) -> NDArray[np.int32]:
    """Return the outlines of rounded, tapering limbs, for `fill`.

    Args:
        starts: (B, 2) x and y in pixels; the middle of the top left pixel is 0, 0.
        ends: (B, 2) The same.
        radii: (B, 2) The radius at the start and at the end, in pixels.

    Returns:
        (B, 14, 2) corners in fixed point. Limbs that are not finite get corners outside every panel.
    """
    steps = np.linspace(-np.pi / 2, np.pi / 2, _CAP_STEPS + 1)
    radii = np.maximum(radii - _BLEED, 0)
    with np.errstate(invalid="ignore"):
        along = ends - starts
    angle = np.arctan2(along[:, 1], along[:, 0])[:, None] + steps
    cap = np.stack([np.cos(angle), np.sin(angle)], -1)
    return _fixed(
        np.concatenate(
            [ends[:, None] + cap * radii[:, 1, None, None], starts[:, None] - cap * radii[:, 0, None, None]],
            1,
        )
    )


def discs(centres: NDArray[np.floating], radii: NDArray[np.floating]) -> NDArray[np.int32]:
    """Return the outlines of discs around (P, 2) centres with (P,) radii, in pixels, for `fill`."""
    turn = np.arange(_DISC_CORNERS) * (2 * np.pi / _DISC_CORNERS)
    radii = np.maximum(radii - _BLEED, 0)
    return _fixed(centres[:, None] + np.stack([np.cos(turn), np.sin(turn)], -1) * radii[:, None, None])


def _fixed(corners: NDArray[np.floating]) -> NDArray[np.int32]:
    """Convert (S, C, 2) pixels to fixed point. Shapes outside every panel become a point outside."""
    with np.errstate(invalid="ignore"):
        lost = ~(np.abs(corners) < _FAR).all((1, 2))
    corners = np.where(lost[:, None, None], -2 * _FAR, corners)
    return np.rint(corners * (1 << _SHIFT)).astype(np.int32)


def fill(image: Picture, corners: NDArray[np.int32], colour: Colour) -> None:
    """Fill an outline from `capsules` or `discs`; what lies outside the picture is cut off."""
    cv2.fillConvexPoly(image, corners, colour, cv2.LINE_AA, _SHIFT)


def lines(image: Picture, segments: NDArray[np.floating], colour: Colour, thickness: int = 1) -> None:
    """Draw (S, 2, 2) segments, in pixels; those far outside the picture are left out."""
    near = (np.abs(segments) < _FAR).all((1, 2))
    points = np.rint(segments[near] * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(image, list(points), False, colour, thickness, cv2.LINE_AA, _SHIFT)


@cache
def _fonts() -> Path:
    """matplotlib's folder of fonts, found without importing matplotlib, which takes a fifth of a second."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("mpl-data") / "fonts" / "ttf"


class Font:
    """One size of DejaVu Sans, the font that is installed with matplotlib."""

    def __init__(self, pixels: float, *, bold: bool = False) -> None:
        name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
        # The basic layout engine is used, because the other one is missing from some builds of Pillow.
        self._font = ImageFont.truetype(
            str(_fonts() / name), max(round(pixels), 8), layout_engine=ImageFont.Layout.BASIC
        )
        self.ascent, self.descent = self._font.getmetrics()

    @property
    def height(self) -> int:
        """Return the pixels from one line to the next."""
        return self.ascent + self.descent

    def width(self, text: str) -> int:
        """Return the width of a text, in pixels."""
        return int(np.ceil(self._font.getlength(readable_name(text))))

    def mask(self, text: str) -> NDArray[np.uint8]:
        """Return a text's coverage (height, width), 0–255."""
        canvas = PillowImage.new("L", (max(self.width(text), 1), self.height))
        ImageDraw.Draw(canvas).text((0, 0), readable_name(text), fill=255, font=self._font)
        return np.asarray(canvas)

    def write(self, image: Picture, at: tuple[int, int], text: str, colour: Colour) -> None:
        """Write a text with the top left corner of its line at `at` (x, y)."""
        stencil(image, at, self.mask(text), colour)


def stencil(image: Picture, at: tuple[int, int], mask: NDArray[np.uint8], colour: Colour | Picture) -> None:
    """Paint over a picture through a mask.

    Args:
        image: The picture to paint on.
        at: x and y of the mask's top left corner, in pixels; it may lie outside.
        mask: (h, w) The coverage, 0–255.
        colour: One colour, or (h, w, 3) colours.
    """
    x, y = at
    left, top = max(x, 0), max(y, 0)
    part = image[top : max(y + mask.shape[0], 0), left : max(x + mask.shape[1], 0)]
    if part.size == 0:
        return
    here = (slice(top - y, top - y + part.shape[0]), slice(left - x, left - x + part.shape[1]))
    cover = mask[here][..., None] * np.float32(1 / 255)
    paint = colour[here] if isinstance(colour, np.ndarray) else np.array(colour, np.float32)
    part[:] = part + (paint - part.astype(np.float32)) * cover + np.float32(0.5)


@lru_cache(maxsize=64)
def rounded(width: int, height: int, radius: float) -> NDArray[np.uint8]:
    """Return the coverage (height, width), 0–255, of a rectangle with round corners.

    Edges are smooth: it is drawn at four times the size and averaged.
    """
    big = PillowImage.new("L", (width * 4, height * 4))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, width * 4 - 1, height * 4 - 1), radius * 4, fill=255)
    mask = np.asarray(big.reduce(4))
    mask.setflags(write=False)
    return mask
