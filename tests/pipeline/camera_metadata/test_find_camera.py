from math import inf, nan, sqrt, tan
from pathlib import Path

import numpy as np
import pytest

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength, camera_of
from videopose.pipeline.camera_metadata.known_camera import first_possible


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


def test_of_several_values_the_first_that_a_lens_can_have() -> None:
    assert first_possible([None, 0, "0", "wide", nan, inf, True, b"26", 1e9, " 26.30 MM", 50]) == 26.3
    assert first_possible(["24", 50]) == 24
    assert first_possible([26.299999237060547]) == pytest.approx(26.3)
    assert first_possible([]) is None


def test_the_command_line_counts_where_there_is_no_file(tmp_path: Path) -> None:
    lens, source = find_camera(str(tmp_path / "clip.mp4"), FocalLength(mm35=26), (1920, 1080))
    assert (lens, source) == (Lens(Intrinsics.from_35mm(26, (1920, 1080))), "--focal-35mm 26")


def _table(meta: dict[str, object]) -> PoseTable:
    pose = np.zeros((1, 17, 3), np.float32)
    return PoseTable(
        track=np.zeros(1, np.int32),
        frame=np.zeros(1, np.int32),
        keypoints=pose,
        pose=pose,
        root=pose[:, 0],
        filled=np.zeros(1, np.bool_),
        time=np.zeros(1),
        size=(1920, 1080),
        intrinsics=Intrinsics(1500, 1500, 960, 540),
        meta=meta,
    )


@pytest.mark.parametrize(
    "lens",
    [
        Lens(Intrinsics(1500, 1500, 960, 540)),
        Lens(Intrinsics(1500, 1500, 960, 540), (-0.2, 0.1, 0.01, 0.2, 0.3, 0.4), (1e-3, 2e-3), "opencv"),
    ],
)
def test_a_pose_table_keeps_the_lens(tmp_path: Path, lens: Lens) -> None:
    _table({"distortion": lens.distortion}).save(tmp_path / "clip.npz")
    assert PoseTable.load(tmp_path / "clip.npz").lens == lens
    assert _table({}).lens == Lens(lens.intrinsics)  # of an earlier version


@pytest.mark.parametrize(
    "distortion",
    [
        3,
        "opencv",
        [],
        {"model": "opencv"},
        {"model": "x", "coefficients": [0] * 4},
        {"model": "opencv", "coefficients": ["a"] * 4},
        {"model": ["opencv"], "coefficients": None},
    ],
)
def test_damaged_distortion_of_a_pose_table(distortion: object) -> None:
    with pytest.raises(InputError, match="distortion that a pose table records"):
        _ = _table({"distortion": distortion}).lens
