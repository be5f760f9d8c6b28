"""The lens that GoPro cameras describe in their videos, in the GPMF data of `moov/udta/GPMF`.

GoPro's gpmf-parser documents it ("Global Settings" and "Lens distortion"). Of that, since about HERO6:

- ZFOV: the angle of view in degrees, from corner to corner of the picture as it was written;
- VFOV: its style. L, linear: a pinhole. W, wide: a fisheye. S and H, Super- and HyperView: a fisheye
  stretched sideways;
- POLY and PYCF, on later cameras: the fisheye's curve, angle off axis in radians = Σ POLY[n] rⁿ. How r is
  normalised is told too loosely to be used; the angle at the corner, which is known, gives its scale.

Where there is no curve, or the picture is stretched, the fisheye is taken as equidistant (angle proportional
to radius). By a HERO11's curve at 141° that is 8 % off in the middle; 60° across would be 100 % off.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from .mp4 import Mp4

_STYLES = {"L": "linear", "W": "wide", "S": "SuperView", "H": "HyperView"}
_WIDEST = math.radians(80)  # off axis, up to which a fisheye is described in terms of a pinhole
_ROUNDS = 4


@dataclass(frozen=True)
class FieldOfView:
    """What the camera says. diagonal: degrees. style: a letter of `_STYLES`. curve: POLY, or empty."""

    diagonal: float
    style: str
    curve: tuple[float, ...] = ()

    def lens(self, size: tuple[int, int]) -> tuple[Lens, str]:
        """For pictures of this width and height; and where it is known from, in words."""
        half, corner = math.radians(self.diagonal) / 2, math.hypot(*size) / 2
        source = f"GoPro: {self.diagonal:.1f}° from corner to corner, {_STYLES[self.style]}"
        if self.style == "L":
            return Lens(Intrinsics.centred(corner / math.tan(half), size)), source
        curve = _within_picture(self.curve, half) if self.style == "W" else None
        if curve is None:
            curve, source = Polynomial((0, half)), f"{source}, taken as an equidistant fisheye"
        # The angle as a function of the radius, 1 in the corner; in the middle it grows like a pinhole's.
        growth = float(curve.coef[1])
        radii = np.linspace(0, 1, 500)[1:]
        radii = radii[curve(radii) < _WIDEST]
        factors = _opencv_radial(np.tan(curve(radii)), growth * radii)
        return Lens(Intrinsics.centred(corner / growth, size), factors, model="opencv"), source


def field_of_view(file: Mp4) -> FieldOfView | None:
    """The first that the file tells; None where it tells none, or is a spherical video."""
    if file.movie is None:
        return None
    for box in file.find(b"udta", b"GPMF", within=file.movie):
        for key, _, device in _fields(file.read(box)):
            if key == b"DEVC" and (found := _of_device(device)) is not None:
                return found
    return None


def _of_device(data: bytes) -> FieldOfView | None:
    fields = {key: (kind, value) for key, kind, value in _fields(data)}
    diagonal, curve = _floats(*fields.get(b"ZFOV", (b"", b""))), _floats(*fields.get(b"POLY", (b"", b"")))
    style = fields.get(b"VFOV", (b"", b""))[1][:1].decode("latin-1")
    spherical = fields.get(b"PRJT", (b"", b""))[1] == b"EACO"
    if spherical or len(diagonal) != 1 or not 1 < diagonal[0] < 179 or style not in _STYLES:
        return None
    if fields.get(b"PYCF", (b"", b""))[1].rstrip(b"\0") != b"".join(b"r%d" % n for n in range(len(curve))):
        curve = ()  # powers in another order than 0, 1, 2, …
    return FieldOfView(diagonal[0], style, curve)


def _fields(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """GPMF: name, type, size of one value, how many, the values, filled up to four bytes."""
    at = 0
    while at + 8 <= len(data):
        key, kind, size, count = struct.unpack_from(">4scBH", data, at)
        at += 8
        if at + size * count > len(data):
            return
        yield key, kind, data[at : at + size * count]
        at += -(-size * count // 4) * 4


def _floats(kind: bytes, value: bytes) -> tuple[float, ...]:
    if kind not in (b"f", b"d"):
        return ()
    size = 4 if kind == b"f" else 8
    numbers = np.frombuffer(value[: len(value) // size * size], f">f{size}")
    return tuple(float(n) for n in numbers) if np.isfinite(numbers).all() else ()


def _within_picture(curve: Sequence[float], half: float) -> Polynomial | None:
    """The curve over radii that are 1 in the corner; None where it does not rise to the angle there.

    Nor where it begins with another slope than about that of the whole, as no lens does.
    """
    if not 2 <= len(curve) <= 16 or max(map(abs, curve)) > 1e3:
        return None
    radii = np.linspace(0, 4, 4001)
    angles = Polynomial(curve)(radii)
    corner = int(np.argmax(angles >= half))
    if abs(curve[0]) > 1e-6 or corner == 0 or not (np.diff(angles[: corner + 1]) > 0).all():
        return None
    scale = float(np.interp(half, angles[: corner + 1], radii[: corner + 1]))
    if not 0.5 < curve[1] * scale / half < 2:
        return None
    return Polynomial([factor * scale**power for power, factor in enumerate(curve)])


def _opencv_radial(true: NDArray[np.float64], bent: NDArray[np.float64]) -> tuple[float, ...]:
    """OpenCV's k1 to k6 that bend radii of a pinhole's picture, rising from near 0, like that.

    Least squares on the formula times its denominator, which is divided out by weights in later rounds.
    """
    ratio, weight = bent / true, true
    powers = true[:, None] ** (2, 4, 6)
    for _ in range(_ROUNDS):
        table = np.hstack([powers, -ratio[:, None] * powers]) * weight[:, None]
        scale = np.abs(table).max(0)
        factors = np.linalg.lstsq(table / scale, (ratio - 1) * weight, rcond=None)[0] / scale
        weight = true / np.abs(1 + powers @ factors[3:])
    return tuple(float(f) for f in factors)
