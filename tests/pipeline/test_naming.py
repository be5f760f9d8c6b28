"""Of several files, every note, warning and error names the one that it is about."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walking import table_of, walking

from videopose.errors import InputError
from videopose.pipeline.naming import named, naming

Run = Callable[..., Any]


def test_lines_and_errors() -> None:
    assert named("note: it is long") == "note: it is long"
    with naming(Path("videos/a.mp4")):
        assert named("note: it is long") == "note: videos/a.mp4: it is long"
        assert named("warning: a.mp4: it is long") == "warning: a.mp4: it is long"
        assert named("→ b.npz") == "→ b.npz"
        with naming(None):
            assert named("note: it is long") == "note: it is long"
        assert named("note: long") == "note: videos/a.mp4: long"
    for said, expected in (("it is bad", "videos/a.mp4: it is bad"), ("a.mp4: bad", "a.mp4: bad")):
        with pytest.raises(InputError) as raised, naming(Path("videos/a.mp4")):
            raise InputError(said)
        assert str(raised.value) == expected
    assert named("note: it is long") == "note: it is long"


def test_two_tables_that_are_lifted(finished: tuple[Path, Any], tmp_path: Path, videopose: Run) -> None:
    for name in ("a.2d.npz", "b.2d.npz"):
        shutil.copy(finished[0] / "clip.npz", tmp_path / name)
    one = videopose("lift", tmp_path / "a.2d.npz", "--no-render")
    assert one.code == 0, one.err
    assert "note: camera assumed" in one.err
    words = ("--no-render", "--overwrite", "--select", "9")
    two = videopose("lift", tmp_path / "a.2d.npz", tmp_path / "b.2d.npz", "--no-render", "--overwrite")
    assert two.code == 0, two.err
    for name in ("a", "b"):
        assert f"note: {tmp_path / name}.2d.npz: camera assumed" in two.err
    wrong = videopose("lift", tmp_path / "a.2d.npz", tmp_path / "b.2d.npz", *words)
    assert wrong.code == 2
    for error, name in zip(wrong.errors, ("a", "b"), strict=True):
        assert error.startswith(f"error: {tmp_path / name}.2d.npz: --select 9: expected one of")


def test_tables_that_are_exported(tmp_path: Path, videopose: Run) -> None:
    table = table_of({0: walking(20)["joints"]})
    table.save(tmp_path / "good.npz")
    table.pose[:] = np.nan
    table.save(tmp_path / "bad.2d.npz")
    for command in (("export", "--format", "csv"), ("angles",)):
        done = videopose(*command, tmp_path / "bad.2d.npz", tmp_path / "good.npz", "--select", "9")
        assert done.errors == [
            f"error: {tmp_path / 'bad.2d.npz'}: the table has no poses; `videopose lift` makes them",
            f"error: {tmp_path / 'good.npz'}: --select 9: expected a track with poses, found only 0",
        ]
        assert done.code == 3
