"""Locks on results: of two runs on one output, the second says who makes it."""

import shutil
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from videopose.errors import OutputError
from videopose.pipeline.output_lock import _missing_folders, output_lock

Run = Callable[..., Any]


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """The clip, its table of two people and its animation."""
    return Path(shutil.copytree(finished[0], tmp_path / "finished"))


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (("export", "clip.npz", "--format", "csv"), "clip.csv"),
        (("export", "clip.npz", "--format", "bvh"), "clip.1.bvh"),
        (("render", "clip.npz", "--at", "0.5"), "clip.png"),
        (("view", "clip.npz"), "clip.html"),
        (("angles", "clip.npz"), "clip.0.angles.png"),
        (("people", "clip.npz"), "clip.people.png"),
        (("people", "clip.mp4"), "clip.2d.npz"),
        (("compare", "clip.npz", "clip.npz"), "clip.compare.html"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else words,
)
def test_the_second_run_says_who_makes_the_result(
    words: tuple[str, ...], result: str, folder: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    with output_lock([folder / result], "videopose something else"):
        done = videopose(*words)
    assert done.code == 5, done.err
    assert f"{result} is being made by another run (process " in done.errors[0]
    assert ": videopose something else); wait for it, or write elsewhere" in done.errors[0]
    assert sorted(folder.iterdir()) == before


def test_a_run_without_a_command_line(tmp_path: Path) -> None:
    with (
        output_lock([tmp_path / "a"], ""),
        pytest.raises(OutputError, match=r"made by another run \(process \d+ on \S+ since [\d: -]+\); wait"),
        output_lock([tmp_path / "a"], "other"),
    ):
        pass


def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a"
    with output_lock([target, target.with_name("b")], ""):
        assert target.parent.is_dir()
    assert list(tmp_path.iterdir()) == []
    with output_lock([target], ""):
        target.write_text("a result")
    assert [path.name for path in target.parent.iterdir()] == ["a"]
    (tmp_path / "empty").mkdir()
    with output_lock([tmp_path / "empty" / "a"], ""):
        pass
    assert (tmp_path / "empty").is_dir()  # it was there before


@pytest.mark.parametrize("folder", ["n" * 300, "n" * 300 + "/inner"])
def test_a_folder_whose_name_is_too_long(tmp_path: Path, folder: str) -> None:
    with pytest.raises(OutputError, match="cannot write"), output_lock([tmp_path / folder / "a.bvh"], ""):
        pytest.fail("it cannot be locked")


def test_a_drive_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.exists", lambda path: False)
    assert _missing_folders(PureWindowsPath("Z:/results")) == [PureWindowsPath("Z:/results")]  # type: ignore[arg-type]
