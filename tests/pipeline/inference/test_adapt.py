"""`--adapt` through the command line, with few steps."""

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.adaptation import adapt_lifter, cache
from videopose.semi.adaptation import AdaptationConfig

Run = Callable[..., Any]
Write = Callable[..., Path]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few steps, and a cache of adapted lifters of the test's own."""
    few = partial(AdaptationConfig, steps=4, samples=8)
    monkeypatch.setattr(sys.modules[adapt_lifter.__module__], "AdaptationConfig", few)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache")


@pytest.fixture
def clips(clip: Path, images: list[NDArray[np.uint8]], write_video: Write, tmp_path: Path) -> Path:
    """A folder with the clip, its last 38 frames, and a file that is no video."""
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(clip, folder / "a.mp4")
    write_video(folder / "b.mp4", images[8:])
    (folder / "bad.mp4").write_text("no video\n" * 100)
    return folder


def _tables(folder: Path) -> list[PoseTable]:
    return [PoseTable.load(folder / f"{name}.npz") for name in ("a", "b")]


def _adaptations(tables: list[PoseTable]) -> list[tuple[bool, list[str], int, int]]:
    """What each table records: done, videos, tracks, steps."""
    records = [table.meta["adaptation"] for table in tables]
    return [tuple(each[key] for key in ("done", "videos", "tracks", "steps")) for each in records]


def _lifters(tables: list[PoseTable]) -> set[str]:
    return {table.meta["lifter"]["sha256"] for table in tables}


def test_videos_are_lifted_by_one_adapted_lifter_or_by_one_each(clips: Path, videopose: Run) -> None:
    def infer(*options: str) -> tuple[list[PoseTable], str]:
        done = videopose("infer", "--people", "2", "--no-render", *options, clips)
        assert done.code == 7
        [error] = done.errors
        assert "bad.mp4" in error
        return _tables(clips), done.err

    plain, _ = infer()
    together, said = infer("--overwrite", "--adapt")
    assert said.count("adapting the lifter to 4 tracks, 5 s") == 1
    assert _adaptations(together) == [(True, ["a.mp4", "b.mp4"], 4, 4)] * 2
    each, said = infer("--overwrite", "--adapt", "each")
    assert said.count("adapting the lifter to 2 tracks") == 2
    assert _adaptations(each) == [(True, ["a.mp4"], 2, 4), (True, ["b.mp4"], 2, 4)]
    assert _lifters(plain) == {load_lifter("default").digest()}
    assert [len(_lifters(tables)) for tables in (together, each)] == [1, 2]
    assert len(_lifters([*plain, *together, *each])) == 4
    for before, *adapted in zip(plain, together, each, strict=True):
        assert "adaptation" not in before.meta
        for after in adapted:
            np.testing.assert_array_equal(after.keypoints, before.keypoints)
            moved = np.linalg.norm(after.pose - before.pose, axis=-1)
            assert 0 < moved.mean() < 0.05
            assert after.meta["command"].count("infer") == 1


def test_pose_tables_are_lifted_by_one_adapted_lifter(
    finished: tuple[Path, Any], clips: Path, videopose: Run
) -> None:
    for name in ("a", "b"):
        shutil.copy(finished[0] / "clip.npz", clips / f"{name}.npz")
    sources = [clips / "a.npz", clips / "b.npz"]
    done = videopose("lift", *sources, "-o", clips / "lifted", "--no-render", "--adapt")
    assert (done.code, done.errors) == (0, [])
    tables = _tables(clips / "lifted")
    assert _adaptations(tables) == [(True, ["a.npz", "b.npz"], 4, 4)] * 2
    assert len(_lifters(tables)) == 1
    assert all("lift" in table.meta["command"].split("&&")[-1] for table in tables)
    again = videopose("lift", *sources, "-o", clips / "lifted", "--no-render", "--overwrite", "--adapt")
    assert again.code == 0
    assert "adapted to this footage before" in again.err
    assert _lifters(_tables(clips / "lifted")) == _lifters(tables)
    np.testing.assert_array_equal(_tables(clips / "lifted")[0].pose, tables[0].pose)
