import math
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength

SIZE = (96, 64)
ASSUMED = "assumed: 60° across the longer side"


def still(path: Path, millimetres: object = None, shade: int = 90) -> Path:
    """A picture, with EXIF's FocalLengthIn35mmFilm where it is given."""
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    if millimetres is not None:
        exif.get_ifd(0x8769)[0xA405] = millimetres
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), shade, np.uint8)).save(path, exif=exif.tobytes())
    return path


def told(path: Path) -> str:
    lens, source = find_camera(path, FocalLength(), SIZE)
    assert lens.linear
    if source != ASSUMED:
        expected = float(source.split(": ")[1].split()[0]) / math.hypot(36, 24) * math.hypot(*SIZE)
        assert lens.intrinsics.fx == lens.intrinsics.fy == pytest.approx(expected)
        assert (lens.intrinsics.cx, lens.intrinsics.cy) == (48, 32)
    return source


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("millimetres", [26, 14])
def test_a_picture_tells(tmp_path: Path, name: str, millimetres: int) -> None:
    path = still(tmp_path / name, millimetres)
    assert told(path) == f"EXIF of {name}: {millimetres} mm (35 mm equivalent)"


def test_of_another_type_than_exif_says(tmp_path: Path) -> None:
    assert told(still(tmp_path / "a.jpg", IFDRational(53, 2))) == "EXIF of a.jpg: 26.5 mm (35 mm equivalent)"


@pytest.mark.parametrize("millimetres", [None, 0, 1, 60000, "none", IFDRational(1, 0)])
def test_unknown_is_assumed(tmp_path: Path, millimetres: object) -> None:
    assert told(still(tmp_path / "a.jpg", millimetres)) == ASSUMED


def test_a_sequence_by_its_number(tmp_path: Path) -> None:
    for number, millimetres in ((2, 24), (10, 50), (11, 70)):
        still(tmp_path / f"frame{number}.jpg", millimetres)
    assert told(tmp_path / "frame%d.jpg") == "EXIF of frame2.jpg: 24 mm (35 mm equivalent)"
    assert told(tmp_path / "other%d.jpg") == ASSUMED
    assert told(tmp_path / "missing" / "frame%d.jpg") == ASSUMED


def test_a_sequence_that_libav_reads(tmp_path: Path) -> None:
    for number in range(4):
        still(tmp_path / f"frame-{number:04d}.jpg", 35, 60 * number)
    path = tmp_path / "frame-%04d.jpg"
    with av.open(f"file:{path}") as container:
        assert [(picture.width, picture.height) for picture in container.decode(video=0)] == [SIZE] * 4
    assert told(path) == "EXIF of frame-0000.jpg: 35 mm (35 mm equivalent)"


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "0-readme.txt").write_text("not a picture")
    still(tmp_path / "b.jpg", 80)
    still(tmp_path / "a.png", 40)
    assert told(tmp_path) == "EXIF of a.png: 40 mm (35 mm equivalent)"


def test_damaged_pictures(tmp_path: Path) -> None:
    good = still(tmp_path / "good.jpg", 26).read_bytes()
    path = tmp_path / "bad.jpg"
    sources = []
    for end in range(0, 400, 7):
        path.write_bytes(good[:end])
        sources.append(told(path))
    for at in range(0, 300, 2):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        sources.append(told(path))
    assert ASSUMED in sources
    assert "EXIF of bad.jpg: 26 mm (35 mm equivalent)" in sources
    path.write_text("no picture")
    assert told(path) == ASSUMED
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")  # would be given to an interpreter
    assert told(path) == ASSUMED
