"""Real H.264 files, with the tags that phones write put into them byte by byte."""

import math
import struct
from pathlib import Path
from statistics import median

import av
import numpy as np
import pytest

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata import apple_models
from videopose.pipeline.camera_metadata.apple_models import apple_model
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.camera_metadata.notes import camera_notes
from videopose.pipeline.camera_metadata.phone import PHONE_FOV

SIZE = (320, 180)
IPHONE = "com.apple.quicktime.model"


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def tagged(path: Path, tags: dict[str, str]) -> Path:
    """A file with these tags, as ffmpeg writes them to the QuickTime metadata of the movie."""
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for n in range(4):
            image = np.full((180, 320, 3), 30 * n, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
    return path


def user_data(path: Path, **texts: str) -> Path:
    """An MP4 file of user data only: ©mak, ©mod."""
    boxes = [
        box(b"\xa9" + name.encode(), struct.pack(">HH", len(text), 0x15C7), text.encode())
        for name, text in texts.items()
    ]
    path.write_bytes(box(b"ftyp", b"qt  ", bytes(4)) + box(b"moov", box(b"udta", *boxes)))
    return path


def angle(path: Path, size: tuple[int, int] = SIZE) -> tuple[float, str]:
    lens, source = find_camera(path, FocalLength(), size)
    assert lens.linear
    assert (lens.intrinsics.cx, lens.intrinsics.cy) == (size[0] / 2, size[1] / 2)
    return math.degrees(2 * math.atan(max(size) / 2 / lens.intrinsics.fx)), source


@pytest.mark.parametrize(
    ("model", "degrees", "name"),
    [
        ("iPhone 14 Pro", 73.8, "iPhone 14 Pro"),
        ("iPhone SE", 61.2, "iPhone SE"),
        ("iPhone SE (3rd generation)", 65.9, "iPhone SE (3rd generation)"),
        ("iPad Pro (11-inch) (2nd generation)", 65.2, "iPad Pro (11-inch) (2nd generation)"),
        ("iPhone13,1", 69.5, "iPhone 12 mini"),
    ],
)
def test_a_known_model(tmp_path: Path, model: str, degrees: float, name: str) -> None:
    path = tagged(tmp_path / "clip.mov", {"com.apple.quicktime.make": "Apple", IPHONE: model})
    found, source = angle(path)
    assert found == pytest.approx(degrees, abs=1e-6)
    assert source == (
        f"{name}: {degrees:g}° across the longer side of 16:9 video, as measured; "
        "another mode or stabilisation changes it"
    )
    (note,) = camera_notes(
        "clip.mov", source, Intrinsics.centred(250, SIZE), SIZE, camera_file="clip.camera.json"
    )
    assert note.startswith(f"note: camera {name}: ")


def test_the_focal_length_in_the_file_counts_before_the_model(tmp_path: Path) -> None:
    focal = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    path = tagged(tmp_path / "clip.mov", {IPHONE: "iPhone 14 Pro", focal: "50"})
    assert angle(path)[1] == "QuickTime metadata: 50 mm (35 mm equivalent)"


def test_a_picture_cut_from_16_9_keeps_its_focal_length(tmp_path: Path) -> None:
    path = tagged(tmp_path / "clip.mov", {IPHONE: "iPhone 14 Pro"})
    focal = 1920 / 2 / math.tan(math.radians(73.8 / 2))
    for size in ((1920, 1080), (1080, 1920), (1080, 1080), (1440, 1080), (1920, 804)):
        assert find_camera(path, FocalLength(), size).lens.intrinsics.fx == pytest.approx(focal)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({IPHONE: "iPhone 11 Pro"}, " (iPhone 11 Pro)"),
        ({"com.apple.quicktime.make": "Apple", IPHONE: "iPhone 77"}, " (Apple iPhone 77)"),
        ({"com.android.version": "14"}, ""),
        (
            {
                "com.android.version": "13",
                "com.android.manufacturer": "Google",
                "com.android.model": "Pixel 6",
            },
            " (Google Pixel 6)",
        ),
        ({"com.android.manufacturer": "samsung", "com.android.model": "SM-G991B"}, " (samsung SM-G991B)"),
    ],
)
def test_another_phone_has_70_degrees(tmp_path: Path, tags: dict[str, str], words: str) -> None:
    found, source = angle(tagged(tmp_path / "clip.mp4", tags))
    assert found == pytest.approx(70)
    assert source == f"assumed for a phone{words}: 70° across the longer side"
    (note,) = camera_notes(
        "clip.mp4", source, Intrinsics.centred(250, SIZE), SIZE, camera_file="clip.camera.json"
    )
    assert note.startswith("note: camera assumed for a phone")


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {IPHONE: "iPad2,1"},
        {IPHONE: "MacBook Pro"},
        {IPHONE: ""},
        {"com.android.manufacturer": "samsung", "com.android.model": "NX1"},
        {"make": "Sony", "model": "ILCE-7"},
    ],
)
def test_anything_else_has_60_degrees(tmp_path: Path, tags: dict[str, str]) -> None:
    found, source = angle(tagged(tmp_path / "clip.mp4", tags))
    assert found == pytest.approx(60)
    assert source == "assumed: 60° across the longer side"


def test_user_data(tmp_path: Path) -> None:
    assert angle(user_data(tmp_path / "a.mov", mak="Apple", mod="iPhone 8 Plus"))[0] == pytest.approx(65.1)
    path = user_data(tmp_path / "b.mp4", mak="Xiaomi\0", mod="Mi 9\x1b[31m")
    assert angle(path)[1] == "assumed for a phone (Xiaomi Mi 9[31m): 70° across the longer side"
    assert angle(user_data(tmp_path / "c.mp4", mod="\xff" * 30))[0] == pytest.approx(60)


def test_the_table() -> None:
    numbers = [number for model in apple_models._MODELS for number in model.numbers]
    assert len(numbers) == len(set(numbers)) == 109
    iphones = [m.angle for m in apple_models._MODELS for n in m.numbers if n.startswith("iPhone")]
    assert median(iphones) == pytest.approx(PHONE_FOV, abs=0.5)
    assert all(55 < model.angle < 75 for model in apple_models._MODELS)
    for model in apple_models._MODELS:
        found = apple_model(model.name.upper())
        assert found is not None
        assert abs(found.angle - model.angle) < 0.11
    assert apple_model("") is None
