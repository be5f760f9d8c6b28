"""Read the lens that GoPro cameras describe in the GPMF data of their videos, in `moov/udta/GPMF`.

GoPro's gpmf-parser documents it ("Global Settings" and "Lens distortion"). These fields exist since about
HERO6:

- ZFOV: the angle of view in degrees, from corner to corner of the written picture.
- VFOV: its style. L, linear: a pinhole. W, wide: a fisheye. S and H, Super- and HyperView: a fisheye
  stretched sideways.
- POLY and PYCF, on later cameras: the fisheye's curve, angle off axis in radians = Σ POLY[n] rⁿ. The unit of
  r is not documented exactly, so r is scaled until the curve has the known angle at the corner.

If there is no curve, or the picture is stretched, the fisheye is assumed to be equidistant (angle
proportional to radius). For a HERO11 at 141° this is 8 % off in the middle of the picture; assuming 60°
across would be 100 % off.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from .known_camera import KnownCamera
from .mp4 import Mp4

_STYLES = {"L": "linear", "W": "wide", "S": "SuperView", "H": "HyperView"}
_WIDEST = math.radians(80)  # off axis, up to which a fisheye is described in terms of a pinhole
_ROUNDS = 4


@dataclass(frozen=True)
class FieldOfView:
    """The angle of view as the camera states it.

    Attributes:
        diagonal: Degrees from corner to corner.
        style: A letter of `_STYLES`.
        curve: The field POLY, or empty.
    """

    diagonal: float
    style: str
    curve: tuple[float, ...] = ()

    def camera(self, size: tuple[int, int]) -> KnownCamera:
        """Return the camera for pictures of this width and height."""
        half, corner = math.radians(self.diagonal) / 2, math.hypot(*size) / 2
        source = f"GoPro: {self.diagonal:.1f}° from corner to corner, {_STYLES[self.style]}"
        if self.style == "L":
            return KnownCamera(Lens(Intrinsics.centred(corner / math.tan(half), size)), source)
        curve = _within_picture(self.curve, half) if self.style == "W" else None
        if curve is None:
            curve, source = Polynomial((0, half)), f"{source}, taken as an equidistant fisheye"
        # The angle as a function of the radius, which is 1 in the corner. Near the middle it grows like a
        # pinhole's.
        growth = float(curve.coef[1])
        radii = np.linspace(0, 1, 500)[1:]
        radii = radii[curve(radii) < _WIDEST]
        factors = _opencv_radial(np.tan(curve(radii)), growth * radii)
        lens = Lens(Intrinsics.centred(corner / growth, size), factors, model="opencv")
        return KnownCamera(lens, source)


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the file's GPMF data; a `CameraReader`."""
    with suppress(OSError), path.open("rb") as file:
        if (view := field_of_view(Mp4(file))) is not None:
            return view.camera(size)
    return None


def field_of_view(file: Mp4) -> FieldOfView | None:
    """Return the first angle of view in the file; None if there is none, or the video is spherical."""
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
    """Yield GPMF fields: name, type, size and number of values, and the values, padded to four bytes."""
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
    """Scale the curve to radii that are 1 in the corner.

    None if the curve does not rise to the angle there, or if it begins with a slope that differs much from
    its mean, which no lens does.
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


def _opencv_radial(true: NDArray[np.float64], distorted: NDArray[np.float64]) -> tuple[float, ...]:
    """Fit OpenCV's k1 to k6 to radii of a pinhole's picture, rising from near 0, and their distorted ones.

    The formula is multiplied by its denominator and solved by linear least squares. In later rounds, weights
    divide by the denominator of the round before.
    """
    ratio, weight = distorted / true, true
    powers = true[:, None] ** (2, 4, 6)
    for _ in range(_ROUNDS):
        table = np.hstack([powers, -ratio[:, None] * powers]) * weight[:, None]
        scale = np.abs(table).max(0)
        factors = np.linalg.lstsq(table / scale, (ratio - 1) * weight, rcond=None)[0] / scale
        weight = true / np.abs(1 + powers @ factors[3:])
    return tuple(float(f) for f in factors)
