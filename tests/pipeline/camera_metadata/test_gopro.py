"""The values are those that a HERO11 and a MAX in its HERO mode wrote."""

import io
import math
import struct

import numpy as np
import pytest

from videopose.lifting.cameras.distortion import Lens
from videopose.pipeline.camera_metadata.gopro import FieldOfView, field_of_view
from videopose.pipeline.camera_metadata.mp4 import Mp4

SIZE = (1920, 1080)
CORNER = math.hypot(*SIZE) / 2
HERO11 = (
    0.0,
    1.8229533433914185,
    0.1068095788359642,
    -0.6631866097450256,
    0.35631099343299866,
    -1.0743799e-13,
)
MAX = 137.38848876953125


def field(key: bytes, kind: bytes, size: int, *values: bytes) -> bytes:
    data = b"".join(values)
    return key + kind + struct.pack(">BH", size, len(data) // size) + data + bytes(-len(data) % 4)


def floats(key: bytes, *values: float) -> bytes:
    return field(key, b"f", 4, *(struct.pack(">f", v) for v in values))


def text(key: bytes, value: bytes) -> bytes:
    return field(key, b"c", 1, value)


def curve(powers: bytes = b"r0r1r2r3r4r5") -> bytes:
    return field(b"PYCF", b"c", 2, powers) + floats(b"POLY", *HERO11)


def device(*fields: bytes) -> bytes:
    return field(b"DEVC", b"\0", 1, text(b"DVNM", b"Global Settings"), *fields)


def read(*devices: bytes) -> FieldOfView | None:
    data = b"".join(devices)
    for kind in (b"GPMF", b"udta", b"moov"):
        data = struct.pack(">I4s", 8 + len(data), kind) + data
    return field_of_view(Mp4(io.BytesIO(data)))


def angle(lens: Lens, radius: float) -> float:
    """Degrees off axis of a pixel at this share of the way to the corner."""
    at = np.array([[SIZE[0] / 2 * (1 + radius), SIZE[1] / 2 * (1 + radius)]])
    x, y = (lens.undistort(at)[0] - [lens.intrinsics.cx, lens.intrinsics.cy]) / lens.intrinsics.fx
    return math.degrees(math.atan(math.hypot(x, y)))


def test_a_max() -> None:
    view = read(
        device(text(b"VFOV", b"W"), floats(b"SROT", 20.6), floats(b"ZFOV", MAX), text(b"PRJT", b"GPRO"))
    )
    assert view == FieldOfView(pytest.approx(MAX, abs=1e-5), "W")


def test_a_hero11_tells_its_larger_view_first() -> None:
    large = device(floats(b"ZFOV", 141.09), text(b"VFOV", b"H"), curve())
    small = device(floats(b"ZFOV", 138.6), text(b"VFOV", b"S"), curve())
    view = read(device(text(b"VRES", b"ignored")), large, small)
    assert view == FieldOfView(pytest.approx(141.09), "H", pytest.approx(HERO11))


def test_linear_is_a_pinhole() -> None:
    lens, source = FieldOfView(90.0, "L", HERO11).camera(SIZE)
    assert lens.linear
    assert lens.intrinsics.fx == pytest.approx(CORNER)
    assert source == "GoPro: 90.0° from corner to corner, linear"


def test_wide_without_a_curve_is_equidistant() -> None:
    lens, source = FieldOfView(MAX, "W").camera(SIZE)
    assert source == "GoPro: 137.4° from corner to corner, wide, taken as an equidistant fisheye"
    for radius in (0.01, 0.3, 0.6, 1.0):
        assert angle(lens, radius) == pytest.approx(radius * MAX / 2, abs=0.01)


def test_wide_by_its_curve() -> None:
    lens, source = FieldOfView(141.09, "W", HERO11).camera(SIZE)
    assert source == "GoPro: 141.1° from corner to corner, wide"
    scale = 0.7302529  # where the curve reaches half of 141.09°
    for radius in (0.01, 0.3, 0.6, 1.0):
        expected = math.degrees(sum(a * (scale * radius) ** n for n, a in enumerate(HERO11)))
        assert angle(lens, radius) == pytest.approx(expected, abs=0.02)
    equidistant = FieldOfView(141.09, "W").camera(SIZE)[0].intrinsics.fx
    assert equidistant / lens.intrinsics.fx == pytest.approx(1.08, abs=0.005)  # as the docstring says


@pytest.mark.parametrize("style", "SH")
def test_stretched_pictures_are_approximated(style: str) -> None:
    lens, source = FieldOfView(141.09, style, HERO11).camera(SIZE)
    assert "taken as an equidistant fisheye" in source
    assert angle(lens, 1.0) == pytest.approx(141.09 / 2, abs=0.02)


@pytest.mark.parametrize("diagonal", [2.0, 60.0, 120.0, 170.0, 178.9])
@pytest.mark.parametrize("style", "LWSH")
@pytest.mark.parametrize(
    "shape",
    [
        (),
        HERO11,
        (0.0, -1.0),
        (0.0, 1.0, -9.0),
        (0.0, 0.0),
        (0.0, 0.0, 1.0),
        (0.0, 1e-9, 1.0),
        (0.0, 1e300),
        (1.0, 1.0),
        (0.0, 1.0) * 50_000,
    ],
    ids=len,
)
def test_any_values_give_a_lens(diagonal: float, style: str, shape: tuple[float, ...]) -> None:
    lens, _ = FieldOfView(diagonal, style, shape).camera(SIZE)
    assert lens.parameters.isfinite().all()
    half = math.radians(diagonal / 2)
    expected = math.atan(math.tan(half) / 2) if style == "L" else half / 2
    assert angle(lens, 0.5) == pytest.approx(math.degrees(expected), rel=0.2)


@pytest.mark.parametrize(
    "fields",
    [
        (floats(b"ZFOV", 120.0),),  # no style
        (text(b"VFOV", b"W"),),
        (floats(b"ZFOV", 120.0), text(b"VFOV", b"Q")),
        (floats(b"ZFOV", 0.0), text(b"VFOV", b"W")),
        (floats(b"ZFOV", math.nan), text(b"VFOV", b"W")),
        (floats(b"ZFOV", 180.0), text(b"VFOV", b"W")),
        (floats(b"ZFOV", 120.0, 130.0), text(b"VFOV", b"W")),
        (field(b"ZFOV", b"L", 4, bytes(4)), text(b"VFOV", b"W")),
        (floats(b"ZFOV", 120.0), text(b"VFOV", b"W"), field(b"PRJT", b"F", 4, b"EACO")),  # 360°
    ],
)
def test_what_does_not_tell(fields: tuple[bytes, ...]) -> None:
    assert read(device(*fields)) is None


def test_damaged_lengths_and_curves() -> None:
    good = device(floats(b"ZFOV", 120.0), text(b"VFOV", b"W"), curve(b"r0r1r2r3r4x5"))
    assert read(good) == FieldOfView(120.0, "W")  # other powers than 0, 1, 2, …
    for end in range(len(good) - 8):
        assert read(good[:end]) is None  # a device that is not all there
    assert read() is None
    assert read(b"DEVC\0\x01\xff\xff" + good[8:]) is None
