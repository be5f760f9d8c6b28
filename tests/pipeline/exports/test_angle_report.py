import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from walking import table_of, walking

from videopose.pipeline.exports.angle_report import report_angles
from videopose.pipeline.exports.motions import MotionOptions
from videopose.skeleton import H36M17

Command = Callable[..., Any]


@pytest.fixture
def two(tmp_path: Path) -> Path:
    lost = walking(30)["joints"]
    lost[8:14] = np.nan
    table_of({2: walking(30)["joints"], 5: lost}).save(tmp_path / "pair.npz")
    return tmp_path / "pair.npz"


def test_each_person_gets_ranges_and_a_picture(videopose: Command, two: Path) -> None:
    done = videopose("angles", two)
    assert done.code == 0, done.err
    assert "pair, person 2" in done.out
    row = next(line.split() for line in done.out.splitlines() if "knee_flexion_right" in line)
    knee = walking(30)["knee_flexion_r"]
    assert [int(word) for word in row[1:4]] == [
        round(value) for value in (knee.min(), knee.mean(), knee.max())
    ]
    assert row[4] == "100%"
    for number in (2, 5):
        with Image.open(two.with_name(f"pair.{number}.angles.png")) as picture:
            assert picture.width > 1000


def test_angles_of_joints_out_of_sight_are_told(videopose: Command, tmp_path: Path) -> None:
    pictures = []
    for name, share in (("whole", 0), ("part", 0.75)):
        table = table_of({1: walking(20)["joints"]})
        table.confidence[: int(20 * share), H36M17.index("rfoot")] = 0
        table.save(tmp_path / f"{name}.npz")
        done = videopose("angles", tmp_path / f"{name}.npz")
        pictures.append((tmp_path / f"{name}.angles.png").read_bytes())
    seen = {line.split()[0]: line.split()[-1] for line in done.out.splitlines() if "%" in line}
    hidden = {name for name, share in seen.items() if share == "25%"}
    assert hidden == {"knee_flexion_right", "hip_rotation_right"}
    assert {share for name, share in seen.items() if name not in hidden} == {"100%"}
    assert pictures[0] != pictures[1]


def test_one_person_of_one_frame(videopose: Command, tmp_path: Path) -> None:
    table_of({1: walking(1)["joints"]}).save(tmp_path / "a.npz")
    done = videopose("angles", tmp_path / "a.npz", "--output", tmp_path / "new")
    assert done.code == 0, done.err
    assert (tmp_path / "new" / "a.angles.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_neither_steer_the_terminal_nor_are_markup(videopose: Command, tmp_path: Path) -> None:
    table_of({1: walking(9)["joints"]}).save(tmp_path / "x\x1b[31m[bold]y.npz")
    done = videopose("angles", tmp_path / "x\x1b[31m[bold]y.npz")
    assert done.code == 0, done.err
    assert r"x\x1b[31m[bold]y, person 1" in done.out
    assert "\x1b" not in done.out + done.err


def test_a_picture_is_not_overwritten_unless_asked(videopose: Command, two: Path) -> None:
    two.with_name("pair.angles.png").write_text("mine")
    done = videopose("angles", two, "--people", "1")
    assert (done.code, len(done.errors)) == (5, 1)
    assert videopose("angles", two, "--people", "1", "--overwrite").code == 0


def test_options_are_checked(two: Path) -> None:
    from videopose.errors import UsageError
    from videopose.lifting.pose_table import PoseTable

    with pytest.raises(UsageError, match="--fps -1"):
        MotionOptions(fps=-1)
    assert report_angles(PoseTable.load(two), two, MotionOptions(select=(5,)))[0].name == "pair.angles.png"
