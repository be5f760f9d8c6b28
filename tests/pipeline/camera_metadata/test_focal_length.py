from math import inf, nan, sqrt, tan

import pytest

from videopose.errors import UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata.focal_length import FocalLength, camera_of


def _same(found: Intrinsics, expected: tuple[float, float, float, float]) -> bool:
    return (found.fx, found.fy, found.cx, found.cy) == pytest.approx(expected, rel=1e-6)


def test_pixels() -> None:
    camera, source = camera_of(FocalLength(pixels=1234.5), (1768, 994))
    assert _same(camera, (1234.5, 1234.5, 884, 497))
    assert source == "--focal-px 1234.5"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
def test_35_mm_equivalent_is_by_the_diagonal(size: tuple[int, int]) -> None:
    camera, source = camera_of(FocalLength(mm35=26), size)
    # A 36 × 24 mm negative has a diagonal of 43.267 mm, 1920 × 1080 pixels one of 2202.91.
    assert camera.fx == pytest.approx(26 / 43.2666 * 2202.907, rel=1e-5)
    assert _same(camera, (camera.fx, camera.fx, size[0] / 2, size[1] / 2))
    assert source == "--focal-35mm 26"


@pytest.mark.parametrize("size", [(1000, 500), (1000, 3000)])
def test_horizontal_angle_is_across_the_width(size: tuple[int, int]) -> None:
    camera, source = camera_of(FocalLength(hfov=90), size)
    assert _same(camera, (500, 500, 500, size[1] / 2))
    assert source == "--hfov 90"


@pytest.mark.parametrize("size", [(1000, 500), (500, 1000)])
def test_nothing_known_is_60_degrees_across_the_longer_side(size: tuple[int, int]) -> None:
    camera, source = camera_of(FocalLength(), size)
    assert _same(camera, (500 * sqrt(3), 500 * sqrt(3), size[0] / 2, size[1] / 2))
    assert tan(3.14159265 / 6) == pytest.approx(500 / camera.fx)
    assert source == "assumed: 60° across the longer side"


@pytest.mark.parametrize("value", [0, -1, nan, inf])
@pytest.mark.parametrize("name", ["pixels", "mm35", "hfov"])
def test_impossible_values(name: str, value: float) -> None:
    with pytest.raises(UsageError, match="positive"):
        FocalLength(**{name: value})


@pytest.mark.parametrize("degrees", [180, 200])
def test_impossible_angles(degrees: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 180"):
        FocalLength(hfov=degrees)


@pytest.mark.parametrize(
    "two", [{"pixels": 1, "mm35": 1}, {"mm35": 1, "hfov": 1}, {"pixels": 1, "mm35": 1, "hfov": 1}]
)
def test_only_one_is_taken(two: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="one of --focal-px, --focal-35mm and --hfov"):
        FocalLength(**two)


def test_a_number_in_a_text() -> None:
    assert FocalLength(mm35="26") == FocalLength(mm35=26.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["wide", True, [26]])
def test_values_of_another_type(value: object) -> None:
    with pytest.raises(UsageError, match="focal length or angle of view: expected a number, found"):
        FocalLength(mm35=value)  # type: ignore[arg-type]


def test_nothing_is_given_by_default() -> None:
    assert not FocalLength().given
    assert FocalLength(hfov=60).given
