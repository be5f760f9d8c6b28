from pathlib import Path

import pytest

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata import find_camera as searched
from videopose.pipeline.camera_metadata.find_camera import READERS, find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.camera_metadata.known_camera import KnownCamera


def test_the_command_line_counts_where_there_is_no_file(tmp_path: Path) -> None:
    lens, source = find_camera(str(tmp_path / "clip.mp4"), FocalLength(mm35=26), (1920, 1080))
    assert (lens, source) == (Lens(Intrinsics.from_35mm(26, (1920, 1080))), "--focal-35mm 26")


def test_the_readers_are_tried_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new reader is one file and one line in the list."""
    asked: list[tuple[str, Path, tuple[int, int]]] = []
    known = KnownCamera(Lens(Intrinsics(1, 2, 3, 4)), "by the second")

    def first(path: Path, size: tuple[int, int]) -> None:
        asked.append(("first", path, size))

    def second(path: Path, size: tuple[int, int]) -> KnownCamera:
        asked.append(("second", path, size))
        return known

    monkeypatch.setattr(searched, "READERS", (first, second, *READERS))
    assert find_camera(tmp_path / "a.mp4", FocalLength(), (640, 480)) is known
    assert asked == [(name, tmp_path / "a.mp4", (640, 480)) for name in ("first", "second")]
    find_camera(tmp_path / "a.mp4", FocalLength(hfov=60), (640, 480))
    assert len(asked) == 2
