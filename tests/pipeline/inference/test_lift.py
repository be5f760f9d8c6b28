import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.errors import UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.world.gravity import up_of
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.inference.lift import lift, load_video_lifter
from videopose.pipeline.inference.options import LiftOptions
from videopose.skeleton import H36M17

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def table(finished: tuple[Path, Any]) -> PoseTable:
    return PoseTable.load(finished[0] / "clip.npz")


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_video_lifter(LiftOptions())


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished[0], tmp_path / "finished"))


def test_lifting_again_changes_nothing(table: PoseTable, lifter: Lifter) -> None:
    again = lift(table, LiftOptions(), lifter, command="videopose lift clip.npz")
    np.testing.assert_array_equal(again.pose, table.pose)
    np.testing.assert_array_equal(again.root, table.root)
    assert again.meta["command"] == "videopose infer clip.mp4 --people 2 && videopose lift clip.npz"


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        ({}, ""),
        ({"flip": False}, "leave --no-flip out"),
        ({"adapt": "together"}, "begin with another --lifter"),
    ],
)
@pytest.mark.parametrize("averaged_flips", [False, True])
def test_a_lifter_that_needs_flips_says_so(
    averaged_flips: bool,
    options: dict[str, Any],
    way_out: str,
    lifter: Lifter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "a.safetensors"
    replace(lifter, about={"config": {"averaged_flips": averaged_flips}}).save(file)
    load_video_lifter(LiftOptions(lifter=str(file), **options))
    notes = "".join(capsys.readouterr().err.split("\n"))
    assert (way_out in notes) if averaged_flips and way_out else (notes == "")


def test_a_track_with_a_gap_is_lifted_in_parts(table: PoseTable, lifter: Lifter) -> None:
    first = table[table.track == table.track[0]]
    before, after = first[first.frame < 15], first[first.frame > 30]
    gapped = first[(first.frame < 15) | (first.frame > 30)]
    whole = lift(gapped, LiftOptions(), lifter)
    parts = [lift(part, LiftOptions(), lifter) for part in (before, after)]
    np.testing.assert_array_equal(whole.pose, np.concatenate([part.pose for part in parts]))
    np.testing.assert_array_equal(whole.root, np.concatenate([part.root for part in parts]))


def test_another_camera(table: PoseTable, lifter: Lifter) -> None:
    told = lift(table, LiftOptions(focal=FocalLength(pixels=1200)), lifter)
    assert told.intrinsics == Intrinsics(1200, 1200, 296, 166)
    assert told.meta["intrinsics"] == "--focal-px 1200"
    assert np.median(told.root[:, 2]) > 1.5 * np.median(table.root[:, 2])
    kept = lift(told, LiftOptions(), lifter)
    assert (kept.intrinsics, kept.meta["intrinsics"]) == (told.intrinsics, "--focal-px 1200")
    np.testing.assert_array_equal(kept.pose, told.pose)


def test_every_track_by_itself(table: PoseTable, lifter: Lifter) -> None:
    one = table.track == 1
    np.testing.assert_array_equal(lift(table[one], LiftOptions(), lifter).pose, table.pose[one])


def test_the_world(table: PoseTable, lifter: Lifter) -> None:
    told = lift(table, LiftOptions(camera_pitch=-5, camera_roll=0, camera_height=1.5), lifter)
    assert told.camera_position[:, 2].tolist() == [1.5] * len(told.time)
    assert told.camera_rotation[0, 2] == pytest.approx(up_of(-5, 0), abs=1e-6)
    assert told.meta["world"]["gravity"] == "--camera-pitch -5 --camera-roll 0"
    found = lift(replace(table, meta={**table.meta, "gravity": [0, 1, 0]}), LiftOptions(), lifter)
    assert found.meta["world"]["gravity"] == "gravity of the camera's side-car file"
    assert found.camera_rotation[0, 2] == pytest.approx((0, -1, 0), abs=1e-6)
    ankles = found.world()[:, [3, 6], 2]
    on_the_grass, on_the_wall = sorted(np.nanmedian(ankles[rows]) for _, rows in found.tracks())
    assert on_the_grass == pytest.approx(0.07, abs=0.15)
    assert on_the_wall == pytest.approx(2.0, abs=0.4)
    assert np.isfinite(found.contact).any()


def test_size_filters_and_feet(table: PoseTable, lifter: Lifter) -> None:
    options = LiftOptions(height=150, filters=("butterworth", "bones"), lock_feet=True)
    done = lift(table, options, lifter)
    assert done.meta["height"]["centimetres"] == 150
    assert done.meta["filters"] == ["butterworth:1.7", "bones"]
    assert done.meta["lock_feet"] is True
    plain = lift(done, LiftOptions(), lifter)
    np.testing.assert_allclose(plain.pose, table.pose, atol=1e-5)
    assert not {"height", "filters", "lock_feet"} & set(plain.meta)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"camera_pitch": 120}, "--camera-pitch: expected −90 to 90 degrees"),
        ({"height": 1.8}, "--height: expected 50 to 250 centimetres, found 1.8"),
        ({"filters": ("kalman",)}, "there is no filter 'kalman'"),
    ],
)
def test_impossible_worlds(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LiftOptions(**values)


def test_a_lifter_for_other_keypoints_is_refused_beforehand(tmp_path: Path) -> None:
    model = TemporalModel(num_joints_in=15, num_joints_out=15, filter_widths=(3,), channels=8)
    Lifter(model, "humaneva15", "screen", None).save(tmp_path / "eva.safetensors")
    for flip in (True, False):
        with pytest.raises(UsageError, match="this lifter reads humaneva15 keypoints"):
            load_video_lifter(LiftOptions(lifter=str(tmp_path / "eva.safetensors"), flip=flip))


def test_in_bfloat16(folder: Path, table: PoseTable, videopose: Run) -> None:
    done = videopose("lift", folder / "clip.npz", "--no-render", "--overwrite", "--precision", "bfloat16")
    assert done.code == 0, done.err
    fast = PoseTable.load(folder / "clip.npz")
    assert fast.meta["precision"] == "bfloat16"
    assert 0 < np.linalg.norm(fast.pose - table.pose, axis=-1).mean() < 0.0005


def test_from_the_command_line(folder: Path, table: PoseTable, videopose: Run) -> None:
    words = ["--no-flip", "--hfov", "70", "--no-render"]
    done = videopose("lift", folder / "clip.npz", *words)
    assert done.code == 5
    assert "clip.npz exists; --overwrite replaces it, --output DIR writes elsewhere" in done.err
    done = videopose("lift", folder / "clip.npz", "-o", folder / "again", *words)
    assert done.code == 0, done.err
    assert [p.name for p in (folder / "again").iterdir()] == ["clip.npz"]
    again = PoseTable.load(folder / "again" / "clip.npz")
    assert (again.meta["flip"], again.meta["intrinsics"]) == (False, "--hfov 70")
    np.testing.assert_array_equal(again.keypoints, table.keypoints)
    assert 1e-4 < np.abs(again.pose - table.pose).mean() < 0.1
    done = videopose("lift", folder / "clip.npz", "--overwrite", *words)
    assert done.code == 0, done.err
    np.testing.assert_array_equal(PoseTable.load(folder / "clip.npz").pose, again.pose)


def test_an_animation_without_the_video(folder: Path, videopose: Run) -> None:
    (folder / "clip.mp4").unlink()
    done = videopose("lift", folder / "clip.npz", "-o", folder / "out")
    assert done.code == 0, done.err
    assert "note: clip.mp4 is not beside the table, so only the 3D is drawn" in done.err
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["clip.3d.mp4", "clip.npz"]


def test_one_bad_table_does_not_stop_the_others(folder: Path, videopose: Run) -> None:
    (folder / "bad.npz").write_text("no table")
    tables = [folder / "bad.npz", folder / "clip.npz"]
    done = videopose("lift", *tables, "-o", folder / "out", "--no-render")
    assert done.code == 7
    [error] = done.errors
    assert "bad.npz is not a pose table written by videopose" in error
    assert [p.name for p in (folder / "out").iterdir()] == ["clip.npz"]
    assert videopose("lift", folder / "none.npz").code == 3
    nothing = videopose("lift", folder)
    assert nothing.code == 3
    assert "no .2d.npz table in this folder; `videopose detect` makes them" in nothing.err
    shutil.copy(folder / "clip.npz", folder / "clip.2d.npz")
    both = videopose("lift", folder / "clip.npz", folder / "clip.2d.npz")
    assert "clip.npz is left out, because it is the result of another input" in both.err
    assert both.code == 5
    assert "clip.npz exists; --overwrite replaces it" in both.err


def test_a_lifter_that_nobody_knows_is_said_once(folder: Path, videopose: Run) -> None:
    shutil.copy(folder / "clip.npz", folder / "b.npz")
    words = ["-o", folder / "out", "--lifter", "best"]
    done = videopose("lift", folder / "clip.npz", folder / "b.npz", *words)
    assert (done.code, len(done.errors)) == (2, 1)
    assert "unknown lifter 'best'" in done.err


def test_keypoints_that_were_never_seen_are_not_read(table: PoseTable) -> None:
    """Where they were put does not matter to a lifter that reads which joints are visible."""
    model = TemporalModel(filter_widths=(3, 3), channels=16, in_features=3).eval()
    reads_visibility = Lifter(model, "h36m17", "centred-visible", 30.0)
    lifted = []
    for shift in (0, 50):
        keypoints = table.keypoints.copy()
        keypoints[:, -2:] = (keypoints[:, 5:7] + shift) * (1, 1, 0)  # ankles at the shoulders
        lifted.append(lift(replace(table, keypoints=keypoints), LiftOptions(), reads_visibility))
    np.testing.assert_allclose(lifted[0].pose, lifted[1].pose, atol=1e-6)
    feet = [H36M17.index("lfoot"), H36M17.index("rfoot")]
    assert (lifted[0].confidence[:, feet] == 0).all()
    assert (lifted[0].confidence > 0).any(0).sum() == 15
