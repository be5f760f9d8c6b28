"""Camera files: every name that a hint gives is read by the command that gives it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videopose as package
from videopose.errors import InputError
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.lift import lift, load_video_lifter
from videopose.pipeline.inference.options import LiftOptions
from videopose.pipeline.inference.results import say_notes
from videopose.pipeline.inference.table_camera import with_camera_file

Run = Callable[..., Any]
HINT = re.compile(r"or a (.+) beside it$", re.MULTILINE)


@pytest.fixture
def table(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """The finished table of the clip, alone in a folder, as `detect` writes it."""
    return Path(shutil.copy(finished[0] / "clip.npz", tmp_path / "clip.2d.npz"))


def test_lift_reads_the_file_that_its_hint_names(table: Path, videopose: Run) -> None:
    done = videopose("lift", table, "--no-render")
    assert done.code == 0, done.err
    [name] = HINT.findall(done.err)
    assert name == "clip.camera.json"
    table.with_name(name).write_text('{"fx": 700, "gravity": [0, 1, 0]}')
    done = videopose("lift", table, "--no-render", "--overwrite")
    assert done.code == 0, done.err
    assert not HINT.findall(done.err)
    lifted = PoseTable.load(table.with_name("clip.npz"))
    assert (lifted.intrinsics.fx, lifted.meta["intrinsics"]) == (700, name)
    assert lifted.meta["world"]["gravity"] == "gravity of the camera's side-car file"
    np.testing.assert_array_equal(package.lift(table).pose, lifted.pose)
    assert package.lift(PoseTable.load(table)).intrinsics.fx != 700  # a table in memory has no place
    table.with_name(name).write_text('{"fx": "wide"}')
    done = videopose("lift", table, "--no-render", "--overwrite")
    assert done.code == 3
    assert done.errors[0].startswith(f"error: {table.with_name(name)}: fx")


def test_what_the_user_stated_is_not_replaced(table: Path) -> None:
    table.with_name("clip.camera.json").write_text('{"hfov": 50}')
    found = PoseTable.load(table)
    told = replace(found, meta={**found.meta, "intrinsics": "--focal-px 1200"})
    assert with_camera_file(told, table).intrinsics == told.intrinsics
    assert with_camera_file(found, table).intrinsics.fx == pytest.approx(296 / np.tan(np.radians(25)))
    again = lift(with_camera_file(found, table), LiftOptions(), load_video_lifter(LiftOptions()))
    again.save(table)
    assert PoseTable.load(table).meta["intrinsics"] == "clip.camera.json"
    table.with_name("clip.camera.json").unlink()
    assert with_camera_file(PoseTable.load(table), table).intrinsics == again.intrinsics


@pytest.mark.parametrize(
    ("source", "video"),
    [
        ("clip.mp4", "clip.mp4"),
        ("walk.v2.mp4", "walk.v2.mp4"),
        ("clip", "clip"),
        ("frame-%04d.jpg", "frame-%04d.jpg"),
        ("renamed.2d.npz", "clip.mp4"),
        ("walk.mp4.npz", "walk.mp4"),
    ],
)
def test_the_hint_of_every_input_names_what_is_read(
    source: str, video: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from videopose.pipeline.camera_metadata.sidecar import read_camera

    found = PoseTable.load(table)
    found = replace(
        found, meta={**found.meta, "intrinsics": "assumed", "video": {**found.meta["video"], "name": video}}
    )
    path = table.with_name(source)
    say_notes(path, found)
    [name] = HINT.findall(capsys.readouterr().err)
    path.with_name(name).write_text('{"fx": 700}')
    if source.endswith(".npz"):
        assert with_camera_file(found, path).meta["intrinsics"] == name
    else:
        assert read_camera(path, found.size) is not None


def test_a_camera_file_of_another_shape(table: Path) -> None:
    table.with_name("clip.camera.json").write_text('{"fx": 700, "size": [1000, 1000]}')
    with pytest.raises(InputError, match="did not film 592×332"):
        with_camera_file(PoseTable.load(table), table)
