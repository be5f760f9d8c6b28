"""The file that `videopose view` writes, without a browser."""

import json
import re
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from standing import STILL
from videopose.errors import UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.api.pictures import view
from videopose.pipeline.downloads import assets
from videopose.pipeline.web import three

Run = Callable[..., Any]


def standing(frames: int, rate: float = 30.0) -> PoseTable:
    pose = (STILL[:17] - STILL[0]) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    return PoseTable(
        track=np.zeros(frames, np.int32),
        frame=np.arange(frames, dtype=np.int32),
        keypoints=np.ones((frames, 17, 3), np.float32),
        pose=np.tile(pose.astype(np.float32), (frames, 1, 1)),
        root=np.tile(np.array([0, 0, 4], np.float32), (frames, 1)),
        filled=np.zeros(frames, np.bool_),
        time=np.arange(frames) / rate,
        size=(640, 480),
        intrinsics=Intrinsics.centred(600, (640, 480)),
        meta={"video": {"name": "clip.mp4"}},
    )


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file stands for three.js, so that nothing is fetched."""
    (tmp_path / "library").mkdir()
    stub = tmp_path / "library" / "three.js"
    stub.write_text("export {};")
    monkeypatch.setattr(three, "_fetch", lambda name, report=None: stub)


def data_of(page: Path) -> Any:
    [text] = re.findall(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    return json.loads(text)


@pytest.mark.usefixtures("library")
def test_a_table_without_its_video(tmp_path: Path, videopose: Run) -> None:
    standing(20).save(tmp_path / "clip.npz")
    done = videopose("view", tmp_path / "clip.npz")
    assert done.code == 0, done.err
    assert "note: clip.mp4 is not beside the table" in done.err
    assert f"→ {tmp_path / 'clip.html'}" in done.err
    assert data_of(tmp_path / "clip.html")["video"] is None
    again = videopose("view", tmp_path / "clip.npz")
    assert again.code == 5
    assert "clip.html exists; --overwrite replaces it" in again.errors[0]


@pytest.mark.usefixtures("library")
def test_three_hours_are_thinned_and_it_is_said(tmp_path: Path, videopose: Run) -> None:
    standing(3 * 3600 * 10, rate=10).save(tmp_path / "long.npz")
    done = videopose("view", tmp_path / "long.npz", "--no-video")
    assert done.code == 0, done.err
    assert "note: the page shows one frame in 2, because the motion is long" in done.err
    data = data_of(tmp_path / "long.html")
    assert data["note"] == "This motion is long: one frame in 2 is shown."
    assert data["duration"] == pytest.approx(3 * 3600, abs=1)
    assert (tmp_path / "long.html").stat().st_size < 30e6


@pytest.mark.usefixtures("library")
def test_what_cannot_be_viewed(tmp_path: Path, videopose: Run) -> None:
    table = standing(5)
    table.save(tmp_path / "good.npz")
    table.pose[:] = np.nan
    table.save(tmp_path / "clip.2d.npz")
    table[:0].save(tmp_path / "empty.npz")
    (tmp_path / "text.npz").write_text("text")
    for words, code, message in (
        (["clip.2d.npz"], 3, "clip.2d.npz: the table has no poses; `videopose lift` makes them"),
        (["empty.npz"], 3, "empty.npz: the table has no rows: there are no people in it"),
        (["text.npz"], 3, "is not a pose table"),
        (["none.npz"], 3, "no such file"),
        (["clip.2d.npz", "--output", "page.txt"], 2, "--output of view takes a file that ends in .html"),
        (["text.npz", "--embed", "-1"], 2, "--embed takes megabytes from 0 to 500"),
        (["good.npz", "--video", "absent.mp4"], 3, "cannot read absent.mp4"),
        (["text.npz", "--video", "x.mp4", "--no-video"], 2, "give --video or --no-video, not both"),
    ):
        done = videopose("view", tmp_path / words[0], *words[1:])
        assert done.code == code, (words, done.err)
        assert message in done.errors[0]
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.usefixtures("library")
def test_a_page_does_not_replace_the_video_or_the_table(tmp_path: Path, videopose: Run) -> None:
    table, video = tmp_path / "clip.npz", tmp_path / "clip.mp4"
    standing(5).save(table)
    video.write_bytes(b"a film")
    kept = {path: path.read_bytes() for path in (table, video)}
    for words, what in (
        ([video, "--video", video], "video"),
        ([table, "--no-video"], "table"),
    ):
        done = videopose("view", table, "-o", *words, "--overwrite")
        assert done.code == 2, done.err
        assert f"is the {what} itself; --output writes elsewhere" in done.errors[0]
    done = videopose("view", table, "-o", video, "--overwrite")  # the one beside the table
    assert done.code == 2, done.err
    assert "--output of view takes a file that ends in .html" in done.errors[0]
    for source, target, film in ((standing(5), video, video), (table, table, None)):
        with pytest.raises(UsageError, match="itself"):
            view(source, target, video=film)
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.usefixtures("library")
def test_the_function_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    turned = replace(standing(5), meta={"video": {"name": "clip.mp4", "rotate": 90}})
    (tmp_path / "clip.mp4").write_bytes(b"a film")
    view(turned, tmp_path / "clip.html", video=tmp_path / "clip.mp4", embed=0)
    assert data_of(tmp_path / "clip.html")["video"] is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("library")
def test_the_page_is_opened(tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or len(opened) == 1)
    standing(5).save(tmp_path / "a b.npz")
    for _ in range(2):
        done = videopose("view", tmp_path / "a b.npz", "--no-video", "--open", "--overwrite")
        assert done.code == 0, done.err
    assert opened == [(tmp_path / "a b.html").as_uri()] * 2
    assert "note: no browser could be started; open" in done.err


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_infer_writes_and_opens_the_page(
    clip: Path, tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    page = tmp_path / "clip.html"
    done = videopose("infer", clip, "--output", tmp_path, "--no-render", "--end", "0.3", "--view")
    assert done.code == 0, done.err
    assert opened == [page.as_uri()]
    assert data_of(page)["video"] == {"name": "clip.mp4", "link": "", "offset": 0.0}
    done = videopose("infer", clip, "--output", tmp_path, "--no-render", "--end", "0.3", "--view")
    assert "exists; --overwrite replaces it" in done.errors[0]


@pytest.mark.network
def test_three_is_the_pinned_one() -> None:
    library = three.three_library()
    assert set(library.modules) == {"three", "three/core", "three/controls"}
    assert "MIT License" in library.licence
    for name, text in library.with_names().items():
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        for wanted in re.findall(r'(?:from|import)\s*["\']([^"\']+)["\']', code):
            assert wanted in library.modules, name
    assert {assets.ASSETS[file].package.version for file in three.THREE_FILES.values()} == {"0.185.1"}
