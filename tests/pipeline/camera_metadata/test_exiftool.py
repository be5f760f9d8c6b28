"""A small program stands in for exiftool, which need not be installed: it answers as that does."""

import os
import sys
import time
from pathlib import Path

import pytest

from videopose.pipeline.camera_metadata import exiftool
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength

ASSUMED = "assumed: 60° across the longer side"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A file whose format only exiftool knows."""
    path = tmp_path / "-clip.mxf"
    path.write_bytes(b"\x06\x0e\x2b\x34" + bytes(100))
    return path


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, answer: str, version: str = "13.59", wait: float = 0
) -> Path:
    """Put a program on the path; what it is called with is written to the file that is returned."""
    program, calls = folder / "bin" / "exiftool", folder / "calls"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, time\n"
        f"print(sys.argv[1:], file=open({str(calls)!r}, 'a'))\n"
        f"time.sleep({wait} if '-json' in sys.argv else 0)\n"
        f"print({answer!r} if '-json' in sys.argv else {version!r})\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return calls


def told(path: Path) -> str:
    return find_camera(path, FocalLength(), (1920, 1080))[1]


@pytest.mark.parametrize(
    ("answer", "millimetres"),
    [
        ('[{"SourceFile": "x", "FocalLengthIn35mmFormat": 26}]', "26"),
        ('[{"FocalLengthIn35mmFormat": "50.00mm"}]', "50"),
        ('[{"FocalLengthIn35mmFormat": 0, "FocalLength": 18, "ScaleFactor35efl": 1.5}]', "27"),
        ('[{"FocalLength": "4.5", "ScaleFactor35efl": "6"}]', "27"),
    ],
)
def test_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path, answer: str, millimetres: str
) -> None:
    calls = install(monkeypatch, tmp_path, answer)
    assert told(video) == f"exiftool: {millimetres} mm (35 mm equivalent)"
    assert str(video.absolute()) in calls.read_text()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Segmentation fault",
        "[]",
        "{}",
        "[3]",
        '[{"SourceFile": "x"}]',
        '[{"FocalLengthIn35mmFormat": 0}]',
        '[{"FocalLengthIn35mmFormat": [26]}]',
        '[{"FocalLength": 4.5}]',
        '[{"FocalLength": "unknown", "ScaleFactor35efl": 6}]',
        '[{"FocalLength": NaN, "ScaleFactor35efl": 6}]',
        "[" * 10_000,
    ],
)
def test_what_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path, answer: str
) -> None:
    calls = install(monkeypatch, tmp_path, answer)
    assert told(video) == ASSUMED
    assert "-json" in calls.read_text()


@pytest.mark.parametrize("version", ["12.16", "9.99", "", "garbage"])
def test_an_old_one_is_not_given_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path, version: str
) -> None:
    calls = install(monkeypatch, tmp_path, '[{"FocalLengthIn35mmFormat": 26}]', version)
    assert told(video) == ASSUMED
    assert calls.read_text() == "['-ver']\n"


def test_a_slow_one_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path) -> None:
    install(monkeypatch, tmp_path, '[{"FocalLengthIn35mmFormat": 26}]', wait=60)
    monkeypatch.setattr(exiftool, "_SECONDS", 1.5)
    began = time.monotonic()
    assert told(video) == ASSUMED
    assert time.monotonic() - began < 30


def test_none_installed_or_one_that_cannot_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert told(video) == ASSUMED
    install(monkeypatch, tmp_path, "").with_name("bin").joinpath("exiftool").write_bytes(
        b"\x7fELF" + os.urandom(8)
    )
    assert told(video) == ASSUMED


def test_it_is_not_asked_where_the_file_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path
) -> None:
    calls = install(monkeypatch, tmp_path, '[{"FocalLengthIn35mmFormat": 26}]')
    assert find_camera(video, FocalLength(mm35=40), (1920, 1080))[1] == "--focal-35mm 40"
    video.with_name("-clip.camera.json").write_text('{"f35": 30}')
    assert told(video) == "-clip.camera.json"
    assert not calls.exists()
