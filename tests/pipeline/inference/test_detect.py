import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner

from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.cli.main import cli

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def found(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clip, in which `videopose detect clip.mp4 --people 2` was run."""
    folder = tmp_path_factory.mktemp("found")
    shutil.copy(clip, folder)
    done = CliRunner().invoke(
        cli, ["detect", str(folder / "clip.mp4"), "--people", "2"], obj="videopose detect …"
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def folder(found: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(found, tmp_path / "found"))


def test_a_table_without_poses(found: Path, finished: tuple[Path, Any]) -> None:
    assert sorted(p.name for p in found.iterdir()) == ["clip.2d.npz", "clip.mp4"]
    table, whole = PoseTable.load(found / "clip.2d.npz"), PoseTable.load(finished[0] / "clip.npz")
    for name in ("track", "frame", "keypoints", "filled", "time"):
        np.testing.assert_array_equal(getattr(table, name), getattr(whole, name))
    assert (table.size, table.intrinsics) == (whole.size, whole.intrinsics)
    assert np.isnan(table.pose).all()
    assert np.isnan(table.root).all()
    assert set(whole.meta) - set(table.meta) == {"lifter", "lifting_request", "flip", "precision"}
    assert table.meta["command"] == "videopose detect …"
    grown = ("command", "world")  # lifting adds to these
    assert {k: v for k, v in whole.meta.items() if k in table.meta and k not in grown} == {
        k: v for k, v in table.meta.items() if k not in grown
    }
    assert table.meta["world"] == {"camera_motion": "still: the background does not move", "warning": None}
    assert whole.meta["world"].items() > table.meta["world"].items()


def test_lifting_goes_on_and_gives_the_numbers_of_infer(
    folder: Path, finished: tuple[Path, Any], videopose: Run
) -> None:
    done = videopose("lift", folder)
    assert (done.code, done.errors) == (0, []), done.err
    assert "lifting to 3D" in done.err
    arrows = [line for line in done.err.splitlines() if line.startswith("→")]
    assert arrows == [f"→ {folder / 'clip.npz'}", f"→ {folder / 'clip.3d.mp4'}"]
    with np.load(folder / "clip.npz") as lifted, np.load(finished[0] / "clip.npz") as whole:
        assert lifted.files == whole.files
        for name in set(whole.files) - {"meta"}:
            np.testing.assert_array_equal(lifted[name], whole[name])
    meta, expected = (dict(PoseTable.load(p / "clip.npz").meta) for p in (folder, finished[0]))
    assert meta.pop("command") == f"videopose detect … && videopose lift {folder}"
    assert expected.pop("command") == "videopose infer clip.mp4 --people 2"
    assert meta == expected
    assert (folder / "clip.3d.mp4").read_bytes() == (finished[0] / "clip.3d.mp4").read_bytes()


def test_an_existing_table_is_kept(folder: Path, videopose: Run) -> None:
    before = (folder / "clip.2d.npz").read_bytes()
    done = videopose("detect", folder / "clip.mp4")
    assert done.code == 5
    assert f"{folder / 'clip.2d.npz'} exists; --overwrite replaces it" in done.err
    assert (folder / "clip.2d.npz").read_bytes() == before


def test_options_and_notes(folder: Path, videopose: Run) -> None:
    words = "--end 0.3 --people all --hfov 90".split()
    done = videopose("detect", folder, "-o", folder / "new", *words)
    assert done.code == 0, done.err
    assert "note:" not in done.err
    assert "finding people in clip.mp4" in done.err
    table = PoseTable.load(folder / "new" / "clip.2d.npz")
    assert len(table.time) == 9
    assert table.intrinsics.fx == 296
    assert videopose("detect", folder / "clip.mp4", "--lifter", "default").code == 2


def test_render_draws_the_keypoints_and_says_why_no_more(folder: Path, videopose: Run) -> None:
    done = videopose("render", folder / "clip.2d.npz", "--size", "480x240")
    assert done.code == 0, done.err
    [note] = [line for line in done.err.splitlines() if line.startswith("note:")]
    assert note == (
        f"note: {folder / 'clip.2d.npz'} has no poses yet (`videopose lift` makes them), "
        "so only the keypoints are drawn"
    )
    with av.open(str(folder / "clip.2d.mp4")) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(pictures) == 46
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 50
    again = videopose("detect", folder, "--overwrite", "--end", "0.1")  # which is no video to look at
    assert again.code == 0, again.err
    assert again.err.count("→") == 1


def test_there_is_nothing_to_draw_without_the_video(folder: Path, videopose: Run) -> None:
    (folder / "clip.mp4").unlink()
    for words in ([], ["--no-video"]):
        done = videopose("render", folder / "clip.2d.npz", *words)
        assert done.code == 2
        assert (
            "has no poses yet (`videopose lift` makes them) and no video to draw its keypoints on" in done.err
        )
    assert [p.name for p in folder.iterdir()] == ["clip.2d.npz"]
