"""`videopose export`: files, names, and what is said about tables that are not as usual."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walking import table_of, walking

from videopose.lifting.datasets.bvh import load_bvh
from videopose.lifting.datasets.joint_angles import Motion
from videopose.lifting.pose_table import PoseTable

Command = Callable[..., Any]


def _saved(table: PoseTable, path: Path) -> Path:
    table.save(path)
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return _saved(table_of({3: walking(30)["joints"]}), tmp_path / "walk.npz")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    people = {2: walking(30)["joints"], 5: walking(20, heading=180)["joints"]}
    return _saved(table_of(people, first={5: 4}), tmp_path / "pair.npz")


def _frames(path: Path) -> int:
    return len(load_bvh(path).positions)


def test_one_person_gets_the_tables_name(videopose: Command, one: Path) -> None:
    done = videopose("export", one, "--format", "bvh", "--format", "glb")
    assert done.code == 0, done.err
    assert {path.name for path in one.parent.iterdir()} == {"walk.npz", "walk.bvh", "walk.glb"}


def test_two_people_get_a_file_each_where_a_format_holds_one(videopose: Command, two: Path) -> None:
    done = videopose("export", two, "--format", "bvh", "--format", "glb", "--tpose-frame")
    assert done.code == 0, done.err
    names = {path.name for path in two.parent.iterdir()} - {"pair.npz"}
    assert names == {"pair.2.bvh", "pair.2.tpose.bvh", "pair.5.bvh", "pair.5.tpose.bvh", "pair.glb"}
    assert "pair.5.bvh (begins at frame 4" in done.err
    assert _frames(two.with_name("pair.5.bvh")) == 20


def test_people_and_select_choose(videopose: Command, two: Path) -> None:
    assert videopose("export", two, "--format", "bvh", "--people", "1").code == 0
    assert _frames(two.with_name("pair.bvh")) == 30  # the one who is there longest
    assert videopose("export", two, "--format", "bvh", "--select", "5", "--overwrite").code == 0
    assert _frames(two.with_name("pair.bvh")) == 20


def test_a_track_that_is_not_there_is_named(videopose: Command, two: Path) -> None:
    done = videopose("export", two, "--format", "bvh", "--select", "4")
    assert done.code == 2
    assert done.errors == ["error: --select 4: expected a track with poses, found only 2, 5"]


def test_nothing_is_overwritten_unless_asked(videopose: Command, two: Path) -> None:
    two.with_name("pair.5.bvh").write_text("mine")
    done = videopose("export", two, "--format", "bvh")
    assert done.code == 5
    assert "pair.5.bvh exists; --overwrite replaces it" in done.err
    assert not two.with_name("pair.2.bvh").exists()
    assert two.with_name("pair.5.bvh").read_text() == "mine"
    assert videopose("export", two, "--format", "bvh", "--overwrite").code == 0
    assert _frames(two.with_name("pair.5.bvh")) == 20


def test_results_go_to_another_folder(videopose: Command, one: Path, tmp_path: Path) -> None:
    assert videopose("export", one, "--format", "bvh", "-o", tmp_path / "new").code == 0
    assert _frames(tmp_path / "new" / "walk.bvh") == 30


def test_a_table_without_poses_says_how_to_get_them(videopose: Command, tmp_path: Path) -> None:
    table = table_of({1: walking(10)["joints"]})
    unlifted = replace(table, pose=np.full_like(table.pose, np.nan))
    done = videopose("export", _saved(unlifted, tmp_path / "a.2d.npz"), "--format", "bvh")
    assert (done.code, len(done.errors)) == (3, 1)
    assert "no poses; `videopose lift` makes them" in done.err


def test_a_table_without_people_says_so(videopose: Command, tmp_path: Path) -> None:
    table = table_of({1: walking(10)["joints"]})[:0]
    done = videopose("export", _saved(table, tmp_path / "a.npz"), "--format", "bvh")
    assert (done.code, len(done.errors)) == (3, 1)
    assert "no people" in done.err


def test_a_track_of_one_frame_is_a_file_of_one_frame(videopose: Command, tmp_path: Path) -> None:
    table = _saved(table_of({1: walking(1)["joints"]}), tmp_path / "a.npz")
    assert videopose("export", table, "--format", "bvh", "--format", "glb").code == 0
    assert _frames(tmp_path / "a.bvh") == 1


def test_a_gap_is_bridged_in_animations_and_said(videopose: Command, tmp_path: Path) -> None:
    joints = walking(30)["joints"]
    joints[10:16] = np.nan
    done = videopose("export", _saved(table_of({1: joints}), tmp_path / "a.npz"), "--format", "bvh")
    assert done.code == 0
    assert "note: track 1: 6 frames without a pose" in done.err
    positions = load_bvh(tmp_path / "a.bvh", unit=0.01).positions
    assert len(positions) == 30
    assert np.linalg.norm(np.diff(positions[:, 0], axis=0), axis=1).max() < 0.08


def test_uneven_times_are_evened_and_said(videopose: Command, tmp_path: Path) -> None:
    joints = walking(40)["joints"]
    time = np.arange(40) / 30 + np.where(np.arange(40) > 20, 0.5, 0)  # a pause in the middle
    done = videopose(
        "export", _saved(table_of({1: joints}, time=time), tmp_path / "a.npz"), "--format", "bvh"
    )
    assert done.code == 0
    assert "unevenly spaced; the motion is resampled to 30 even frames a second" in done.err
    assert _frames(tmp_path / "a.bvh") == 55


def test_film_rate_is_kept_exactly(videopose: Command, tmp_path: Path) -> None:
    rate = 24000 / 1001
    stamps = np.round(np.arange(50) / rate, 3)  # as a container in milliseconds has them
    table = _saved(table_of({1: walking(50)["joints"]}, time=stamps), tmp_path / "a.npz")
    done = videopose("export", table, "--format", "bvh")
    assert "note" not in done.err
    line = next(line for line in (tmp_path / "a.bvh").read_text().splitlines() if "Frame Time" in line)
    assert float(line.split(":")[1]) == pytest.approx(1001 / 24000, abs=1e-9)
    assert _frames(tmp_path / "a.bvh") == 50


def test_another_frame_rate_covers_the_same_time(videopose: Command, one: Path) -> None:
    assert videopose("export", one, "--format", "bvh", "--fps", "60").code == 0
    assert _frames(one.with_name("walk.bvh")) == 59


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "bvh", "--fps", "0"), "--fps 0: expected a rate above 0"),
        (("--format", "glb", "--units", "cm"), "--units cm: glb files have m; leave --units out"),
        (("--format", "glb", "--up", "z"), "--up z: glb files have y; leave --up out"),
        (("--format", "glb", "--tpose-frame"), "add --format bvh"),
        (("--format", "glb", "--filter", "smooth"), "there is no filter 'smooth'"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    videopose: Command, one: Path, options: tuple[str, ...], message: str
) -> None:
    done = videopose("export", one, *options)
    assert (done.code, len(done.errors)) == (2, 1)
    assert message in done.err
    assert [path.name for path in one.parent.iterdir()] == ["walk.npz"]


@pytest.mark.parametrize(
    ("name", "module", "way_out"),
    [
        ("c3d", "c3d", "pip install 'videopose[c3d]'"),
        ("usd", "pxr", "pip install 'videopose[usd]'"),
        ("fbx", "bpy", "docs/blender.md"),
    ],
)
def test_what_is_not_installed_is_named_before_anything_is_written(
    videopose: Command, one: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str, way_out: str
) -> None:
    monkeypatch.setenv("PATH", "")  # no Blender
    monkeypatch.delenv("VIDEOPOSE_BLENDER", raising=False)
    found = importlib.util.find_spec
    missing = lambda wanted, *rest: None if wanted == module else found(wanted, *rest)  # noqa: E731
    monkeypatch.setattr(f"videopose.lifting.exports.{name}.find_spec", missing)
    done = videopose("export", one, "--format", "bvh", "--format", name)
    assert (done.code, len(done.errors)) == (2, 1)
    assert way_out in done.err
    assert [path.name for path in one.parent.iterdir()] == ["walk.npz"]


def test_a_bad_table_does_not_stop_the_others(videopose: Command, one: Path, tmp_path: Path) -> None:
    done = videopose("export", tmp_path / "missing.npz", one, "--format", "bvh")
    assert done.code == 7
    assert one.with_name("walk.bvh").exists()


def test_a_table_of_an_earlier_version_stands_on_the_floor(videopose: Command, one: Path) -> None:
    with np.load(one) as archive:
        old = {
            name: archive[name]
            for name in archive.files
            if not name.startswith(("camera_", "conf", "contact"))
        }
    old["meta"] = np.array("{}")
    np.savez(one, **old)
    assert videopose("export", one, "--format", "bvh").code == 0
    positions = load_bvh(one.with_name("walk.bvh"), unit=0.01).positions
    assert abs(np.percentile(positions[..., 1].min(1), 15)) < 0.03


def test_feet_are_held_still_in_animations_only(videopose: Command, one: Path) -> None:
    for name, options in (("still", ()), ("loose", ("--no-lock-feet",))):
        done = videopose("export", one, "--format", "bvh", *options, "-o", one.with_name(name))
        assert done.code == 0, done.err
    still, loose = (load_bvh(one.with_name(name) / "walk.bvh", unit=0.01) for name in ("still", "loose"))

    def slides(read: Motion) -> float:
        feet = read.positions[:, [read.names.index("LeftFoot"), read.names.index("RightFoot")]]
        speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1).min(1)
        return float(np.median(speed))

    assert slides(still) < 0.5 * slides(loose)
    assert videopose("export", one, "--format", "csv", "--format", "json").code == 0


def test_a_filter_smooths_every_format(videopose: Command, tmp_path: Path) -> None:
    joints = walking(60)["joints"] + np.random.default_rng(0).normal(0, 0.01, (60, 17, 3))
    table = _saved(table_of({1: joints}), tmp_path / "a.npz")
    assert videopose("export", table, "--format", "csv").code == 0
    assert (
        videopose("export", table, "--format", "csv", "--filter", "butterworth:3", "-o", tmp_path / "s").code
        == 0
    )

    def shake(path: Path) -> float:
        rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(4, 5, 6)).reshape(60, 17, 3)
        return float(np.abs(np.diff(rows, 2, axis=0)).mean())

    assert shake(tmp_path / "s" / "a.csv") < 0.4 * shake(tmp_path / "a.csv")


def test_a_camera_upside_down_gives_people_the_right_way_up(videopose: Command, tmp_path: Path) -> None:
    """The table says how the camera was held; the world stays as it is."""
    table = table_of({1: walking(20)["joints"]})
    over = np.diag([-1, -1, 1]).astype(np.float32)
    held = replace(
        table, pose=table.pose @ over, root=table.root @ over, camera_rotation=table.camera_rotation @ over
    )
    assert videopose("export", _saved(held, tmp_path / "a.npz"), "--format", "bvh").code == 0
    read = load_bvh(tmp_path / "a.bvh", unit=0.01)
    assert (read.positions[:, read.names.index("Head"), 1] > 1.4).all()


def test_a_portrait_clip_makes_no_difference(videopose: Command, one: Path, tmp_path: Path) -> None:
    table = replace(PoseTable.load(one), size=(720, 1280))
    assert videopose("export", one, "--format", "bvh").code == 0
    assert videopose("export", _saved(table, tmp_path / "tall.npz"), "--format", "bvh").code == 0
    assert (tmp_path / "tall.bvh").read_text() == one.with_name("walk.bvh").read_text()
