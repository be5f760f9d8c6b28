"""`infer --export` and `lift --export`: motion for other programs at once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from videopose.lifting.datasets.bvh import load_bvh

Command = Callable[..., Any]


def test_lift_exports_what_it_lifts(videopose: Command, finished: tuple[Path, Any], tmp_path: Path) -> None:
    shutil.copy(finished[0] / "clip.npz", tmp_path)
    options = ("--no-render", "--output", tmp_path / "new", "--export", "bvh", "--export", "csv")
    done = videopose("lift", tmp_path / "clip.npz", *options)
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names >= {"clip.npz", "clip.csv"}
    (first, *_) = sorted((tmp_path / "new").glob("clip.*.bvh"))
    assert len(load_bvh(first).positions) > 20


def test_infer_does_not_begin_if_an_export_is_in_the_way(
    videopose: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("the networks were loaded")

    monkeypatch.setattr("videopose.pipeline.inference.infer.Networks.load", fail)
    shutil.copy(clip, tmp_path)
    (tmp_path / "clip.4.bvh").write_text("mine")
    done = videopose("infer", tmp_path / clip.name, "--no-render", "--export", "bvh")
    assert done.code == 5
    assert "clip.4.bvh exists; --overwrite replaces it" in done.err
