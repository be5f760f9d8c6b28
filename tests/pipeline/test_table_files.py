"""What commands say that are given another file than a pose table."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walking import table_of, walking

import videopose as package
from videopose.errors import InputError
from videopose.pipeline.table_files import typed

Run = Callable[..., Any]
COMMANDS: list[list[str]] = [
    ["view"],
    ["render"],
    ["lift"],
    ["export", "--format", "bvh"],
    ["angles"],
    ["compare", "other.npz"],
]


@pytest.fixture
def film(write_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_video(Path("a walk.mp4"), np.zeros((3, 64, 96, 3), np.uint8))
    table_of({0: walking(5)["joints"]}).save("other.npz")
    return Path("a walk.mp4")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_video_in_place_of_a_table(film: Path, videopose: Run, command: list[str]) -> None:
    done = videopose(*command, film)
    assert done.code == 3, done.err
    options, result = (["--view"], "a page") if command == ["view"] else ([], "its table")
    [line] = done.errors
    assert line == (
        "error: a walk.mp4: expected a pose table (.npz), found a video; "
        f"`{typed(['videopose', 'infer', 'a walk.mp4', *options])}` makes {result}"
    )
    shutil.copy("other.npz", "a walk.npz")
    [line] = videopose(*command, film).errors
    assert line.endswith("found a video; a walk.npz beside it is its table")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.mkv", b"", "a video"),
        ("movie", b"\x1aE\xdf\xa3 and more", "a video"),
        ("a.jpg", b"\xff\xd8\xff", "a picture"),
        ("a.heic", b"\0\0\0\x18ftypheic", "a picture"),
        ("a.bvh", b"HIERARCHY", "an export"),
        ("a.html", b"<!doctype html>", "a page"),
        ("a.safetensors", b"\0", "a lifter or another network"),
        ("a.json", b"{}", "a file of keypoints or of a camera, or an export"),
    ],
)
def test_other_files(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        package.lift(tmp_path / name)
    assert f"expected a pose table (.npz), found {found}; `videopose infer" in str(caught.value)


def test_commands_are_quoted_for_the_shell_at_hand() -> None:
    words = ["videopose", "infer", r"C:\Users\a b\c&d.mp4", r"D:\e.mp4", "--view"]
    assert typed(words, windows=True) == r'videopose infer "C:\Users\a b\c&d.mp4" D:\e.mp4 --view'
    assert typed(["videopose", "infer", "a b.mp4"], windows=False) == "videopose infer 'a b.mp4'"


def test_a_file_of_no_known_kind_and_a_zip(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    reasons = (("a.txt", "File is not a zip file"), ("b.npz", "it has no "), ("c", "no such file"))
    for name, reason in reasons:
        with pytest.raises(InputError, match=reason):
            package.lift(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_pipe_is_not_opened(film: Path, videopose: Run, command: list[str]) -> None:
    os.mkfifo("pipe.npz")
    output = "page.html" if command == ["view"] else "results"
    done = videopose(*command, "pipe.npz", "--output", output)  # would wait for a writer
    assert done.code == 3, done.err
    [line] = done.errors
    assert "pipe.npz" in line
