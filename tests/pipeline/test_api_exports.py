"""`videopose.export` and `videopose.angles` do what the commands do, and print nothing."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videopose
from standing import STILL
from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.exports import FORMATS, format_of

SHAPES = ("bvh", "glb", "trc", "c3d", "mot", "angles", "csv", "json", "npz")  # that need no extra


@pytest.fixture
def table() -> videopose.PoseTable:
    """Tracks 2 and 5 for a second: two people who stand, 4 and 5 m away, seen by a level camera."""
    joints = (STILL[:17] - STILL[0])[:, [1, 2, 0]] * (1, -1, 1)
    joints = joints + 0.001 * np.random.default_rng(0).normal(size=(60, 17, 3))
    pose = (joints - joints[:, :1]).astype(np.float32)
    root = np.repeat(np.array([(0, 0, 4), (1, 0, 5)], np.float32), 30, 0)
    camera = videopose.Intrinsics.assumed((640, 480))
    seen = (pose + root[:, None])[..., :2] / (pose + root[:, None])[..., 2:]
    keypoints = np.concatenate([seen * camera.fx + (320, 240), np.ones((60, 17, 1))], 2)
    return videopose.PoseTable(
        track=np.repeat([2, 5], 30).astype(np.int32),
        frame=np.tile(np.arange(30), 2).astype(np.int32),
        keypoints=keypoints.astype(np.float32),
        pose=pose,
        root=root,
        filled=np.zeros(60, np.bool_),
        confidence=np.ones((60, 17), np.float32),
        time=np.arange(30) / 30,
        size=(640, 480),
        intrinsics=camera,
    )


@pytest.mark.parametrize("name", SHAPES)
def test_files_are_those_of_the_command(
    name: str, table: videopose.PoseTable, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from videopose.pipeline.cli.main import cli

    suffix = FORMATS[name].suffix
    files = videopose.export(table, tmp_path / f"pair{suffix}")
    assert capfd.readouterr() == ("", "")
    each = [f"pair.2{suffix}", f"pair.5{suffix}"] if FORMATS[name].one_each else [f"pair{suffix}"]
    assert [file.name for file in files] == each
    (tmp_path / "command").mkdir()
    source = tmp_path / "command" / "pair.npz"
    table.save(source)
    assert cli.main(["export", str(source), "--format", name], standalone_mode=False) == 0
    for file in files:
        made = source.with_name(file.name).read_bytes()
        assert made == file.read_bytes() or name in ("npz", "c3d")  # these hold times
        assert len(made) == len(file.read_bytes())


def test_options_reach_the_file(table: videopose.PoseTable, tmp_path: Path) -> None:
    table.save(tmp_path / "pair.npz")
    (file,) = videopose.export(
        tmp_path / "pair.npz", str(tmp_path / "one.BVH"), select=[5], names="mixamo", fps=60, units="m"
    )
    assert [*tmp_path.glob("one.*")] == [file] == [tmp_path / "one.BVH"]
    text = file.read_text()
    assert "mixamorig:Hips" in text
    assert "Frame Time: 0.016666" in text
    before = file.read_bytes()
    assert videopose.export(table, file, select="2", lock_feet=False) == [file]  # replaced
    assert file.read_bytes() != before


def test_angles_of_everybody(table: videopose.PoseTable, capfd: pytest.CaptureFixture[str]) -> None:
    people = videopose.angles(table)
    assert capfd.readouterr() == ("", "")
    assert [person.track for person in people] == [2, 5]
    for person in people:
        np.testing.assert_allclose(person.time, table.time, atol=1e-9)
        assert person.angles.keys() == person.seen.keys()
        assert np.abs(person.angles["knee_flexion_left"]).max() < 5  # they stand
        assert person.seen["knee_flexion_left"].all()
    assert repr(people[0]) == f"<JointAngles of track 2: {len(people[0].angles)} angles, 30 frames>"
    assert repr(table) == "<PoseTable: 2 tracks on 30 frames, 60 rows>"
    (one,) = videopose.angles(table, people=1, fps=15, filters=["butterworth:6"])
    assert len(one.time) == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "clip.npz"}, "cannot export to 'clip.npz': its name must end in one of .bvh, .glb"),
        ({"output": 3}, "output: expected a name or path, found 3"),
        ({"table": 3}, "table: expected a name or path, found 3"),
        ({"names": "maya"}, "names: expected plain, mixamo, cmu, found 'maya'"),
        ({"units": "inch"}, "--units inch: bvh files have cm or m or mm; leave --units out"),
        ({"units": 3}, "units: expected a text or None, found 3"),
        ({"up": "x"}, "--up x: bvh files have y or z; leave --up out"),
        ({"people": 0}, "people: expected a number from 1 on or None, found 0"),
        ({"select": [7]}, "--select 7: expected a track with poses, found only 2, 5"),
        ({"fps": 0}, "--fps 0: expected a rate above 0"),
        ({"filters": "bones"}, "filters: expected a list of texts such as 'butterworth:6'"),
        ({"lock_feet": "yes"}, "lock_feet: expected True or False, found 'yes'"),
        ({"output": "."}, "cannot export to '.': its name must end in one of .bvh"),
        ({"names": np.array(["plain"])}, "names: expected a text, found array(['plain']"),
        ({"only_seen": None}, "only_seen: expected True or False, found None"),
    ],
    ids=str,
)
def test_options_are_checked(
    options: dict[str, Any], message: str, table: videopose.PoseTable, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        videopose.export(**{"table": table, "output": tmp_path / "a.bvh"} | options)
    assert not [*tmp_path.iterdir()]


def test_tables_without_poses(table: videopose.PoseTable, tmp_path: Path) -> None:
    for call in (lambda t: videopose.export(t, tmp_path / "a.bvh"), videopose.angles):
        with pytest.raises(InputError, match="there are no people in it"):
            call(table[:0])
        with pytest.raises(InputError, match="no such file"):
            call(tmp_path / "none.npz")


def test_a_table_is_not_replaced_by_its_export(table: videopose.PoseTable, tmp_path: Path) -> None:
    for source, output in (
        ("pair.3d.npz", "pair.3d.npz"),
        ("pair.2.bvh", "pair.bvh"),  # a strange name for a table, which the file of track 2 would have
    ):
        table.save(tmp_path / source)
        before = (tmp_path / source).read_bytes()
        with pytest.raises(UsageError, match="is the table itself"):
            videopose.export(tmp_path / source, tmp_path / output)
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(source, before)]
        (tmp_path / source).unlink()


def test_all_files_are_written_or_none(table: videopose.PoseTable, tmp_path: Path) -> None:
    (tmp_path / "pair.5.bvh").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        videopose.export(table, tmp_path / "pair.bvh")
    assert [path.name for path in tmp_path.iterdir()] == ["pair.5.bvh"]


def test_the_longest_ending_counts() -> None:
    assert [format_of(name).name for name in ("a.csv", "a.angles.csv", "a.b.3D.NPZ")] == [
        "csv",
        "angles",
        "npz",
    ]
