import json
import math
from pathlib import Path

import numpy as np
import pytest

from videopose.errors import InputError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata.camera_file import load_camera_file
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.camera_metadata.sidecar import camera_file_of, read_camera, read_gravity

SIZE = (1920, 1080)
BARREL = {"model": "opencv", "coefficients": [-0.28, 0.11, 0.0004, -0.0002, -0.02]}


def write(folder: Path, values: object) -> Path:
    path = folder / "clip.camera.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def load(folder: Path, values: object, size: tuple[int, int] = SIZE) -> Lens:
    return load_camera_file(write(folder, values), size)


def test_the_whole_camera(tmp_path: Path) -> None:
    lens = load(
        tmp_path,
        {"fx": 1432.5, "fy": 1431, "cx": 961.2, "cy": 538.9, "size": [1920, 1080], "distortion": BARREL},
    )
    assert lens == Lens(
        Intrinsics(1432.5, 1431, 961.2, 538.9), (-0.28, 0.11, -0.02), (0.0004, -0.0002), "opencv"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"fx": 1500}, (1500, 1500, 960, 540)),
        ({"fx": 1500, "cy": 500.5}, (1500, 1500, 960, 500.5)),
        ({"f35": 26}, (26 / math.hypot(36, 24) * math.hypot(*SIZE),) * 2 + (960, 540)),
        ({"hfov": 90}, (960, 960, 960, 540)),
        ({"hfov": 90, "size": [3840, 2160]}, (960, 960, 960, 540)),
        ({"fx": 3000, "fy": 2900, "cx": 1900, "cy": 1000, "size": [3840, 2160]}, (1500, 1450, 950, 500)),
        ({"fx": 960, "size": [1920, 1088]}, (960, 960 * 1080 / 1088, 960, 540)),  # within rounding
    ],
)
def test_parts_of_it_and_other_sizes(
    tmp_path: Path, values: dict[str, object], expected: tuple[float, float, float, float]
) -> None:
    lens = load(tmp_path, values)
    assert lens.linear
    np.testing.assert_allclose(lens.intrinsics.array(), expected, rtol=1e-6)


def test_distortion_stays_when_the_size_is_scaled(tmp_path: Path) -> None:
    point = np.array([[0.5, -0.3, 1.0]])
    large = {"fx": 3000, "size": [3840, 2160], "distortion": BARREL}
    full = load(tmp_path, large, (3840, 2160)).project(point)
    np.testing.assert_allclose(load(tmp_path, large).project(point), full / 2, rtol=1e-6)


def test_human36m_distortion_has_its_own_order(tmp_path: Path) -> None:
    lens = load(
        tmp_path,
        {
            "fx": 1145,
            "distortion": {"model": "human36m", "coefficients": [-0.2, 0.24, -0.002, -0.0009, -0.0014]},
        },
    )
    assert (lens.model, lens.radial, lens.tangential) == (
        "human36m",
        (-0.2, 0.24, -0.002),
        (-0.0009, -0.0014),
    )


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"fx": 1500, "focal": 3}, "focal: there is no such key"),
        ({"fx": 1500, "distortion": BARREL | {"k4": 1}}, "distortion.k4: there is no such key"),
        ({}, "give one of fx, f35 and hfov"),
        ({"gravity": [0, 1, 0], "cx": 960}, "give one of fx, f35 and hfov"),
        ({"fx": 1500, "gravity": [0, 0, 0]}, "gravity: expected a direction, found three zeros"),
        ({"fx": 1500, "gravity": [0, 1]}, "gravity.2: field required"),
        ({"fy": 1500, "cx": 960}, "give one of fx, f35 and hfov"),
        ({"fx": 1500, "f35": 26}, "give one of fx, f35 and hfov"),
        ({"fx": 0}, "fx: input should be greater than 0"),
        ({"fx": "1500"}, "fx: input should be a valid number"),
        ('{"fx": Infinity}', "fx: input should be a finite number"),
        ('{"fx": 1500, "cx": NaN}', "cx: input should be a finite number"),
        ({"hfov": 180}, "hfov: input should be less than 180"),
        ({"fx": 1500, "size": [1920]}, "size"),
        ({"fx": 1500, "size": [0, 1080]}, r"size.0: input should be greater than 0"),
        ({"fx": 1500, "size": [1080, 1920]}, "calibrated at 1080×1920 did not film 1920×1080 upright pixels"),
        ({"fx": 1500, "cx": 2000}, "cx, cy lie outside of 1920×1080 pixels"),
        (
            {"fx": 1500, "distortion": {"model": "fisheye", "coefficients": [1]}},
            "distortion.model: input should be",
        ),
        (
            {"fx": 1500, "distortion": {"model": "opencv", "coefficients": [1, 2]}},
            "opencv distortion is k1 k2 p1 p2",
        ),
        ({"fx": 1500, "distortion": {"model": "human36m", "coefficients": [0] * 4}}, "k1 k2 k3 p1 p2"),
        ({"fx": 1500, "distortion": {"model": "opencv", "coefficients": [-1e9, 0, 0, 0]}}, "leaves no part"),
        ([1, 2], "valid dictionary|object"),
        ("{", "invalid JSON"),
        ("", "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
        ('{"fx": 1500, "x": "' + "y" * (1 << 20) + '"}', "more than the 1,048,576 that are allowed"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, values: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as raised:
        load(tmp_path, values)
    assert str(raised.value).startswith(str(tmp_path / "clip.camera.json"))
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "clip.camera.json"
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="invalid JSON"):
        load_camera_file(path, SIZE)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_camera_file(path, SIZE)


def test_gravity_with_and_without_a_lens(tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    assert read_gravity(video) is None
    write(tmp_path, {"gravity": [0.1, 9.7, 1.2]})
    assert read_gravity(video) == (0.1, 9.7, 1.2)
    assert read_camera(video, SIZE) is None
    write(tmp_path, {"fx": 1500, "gravity": [0, 1, 0]})
    assert read_gravity(video) == (0, 1, 0)
    assert read_camera(video, SIZE) is not None
    write(tmp_path, {"fx": 1500})
    assert read_gravity(video) is None


def test_where_it_lies(tmp_path: Path) -> None:
    assert camera_file_of(tmp_path / "clip.final.mp4") == tmp_path / "clip.final.camera.json"
    frames = tmp_path / "frames.v1"
    frames.mkdir()
    assert camera_file_of(frames) == tmp_path / "frames.v1.camera.json"


def test_it_counts_before_the_file_and_after_the_command_line(tmp_path: Path) -> None:
    path = write(tmp_path, {"fx": 1500, "distortion": BARREL})
    lens, source = find_camera(tmp_path / "clip.mp4", FocalLength(), SIZE)
    assert (lens.intrinsics.fx, lens.linear, source) == (1500, False, "clip.camera.json")
    lens, source = find_camera(tmp_path / "clip.mp4", FocalLength(pixels=1200), SIZE)
    assert (lens.intrinsics.fx, lens.linear, source) == (1200, True, "--focal-px 1200")
    path.write_text("{")
    assert find_camera(tmp_path / "clip.mp4", FocalLength(hfov=90), SIZE)[1] == "--hfov 90"
    with pytest.raises(InputError):
        find_camera(tmp_path / "clip.mp4", FocalLength(), SIZE)
