"""Several motions of one video side by side, and true motion beside them."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from motion_tables import walking_clips, write_table
from standing import STILL
from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.human36m import JOINTS_OF_32
from videopose.lifting.datasets.videopose3d_files import save_positions_3d
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.comparison import compare
from videopose.pipeline.comparison.align import error_of, truth_table
from videopose.pipeline.comparison.truth import Truth, load_truth
from videopose.pipeline.video.reader import open_video
from videopose.render.theme import LEFT, RIGHT

Run = Callable[..., Any]
WALK = walking_clips()[0][2][:, :17]


def film(joints: NDArray[np.float64], rate: float) -> PoseTable:
    """What a perfect lifter makes of a person who stays in front of a level camera, in its world."""
    count = len(joints)
    table = PoseTable(
        track=np.full(count, 3, np.int32),
        frame=np.arange(count, dtype=np.int32),
        keypoints=np.ones((count, 17, 3), np.float32),
        pose=np.zeros((count, 17, 3), np.float32),
        root=np.zeros((count, 3), np.float32),
        filled=np.zeros(count, np.bool_),
        time=np.arange(count) / rate,
        size=(640, 480),
        intrinsics=Intrinsics.centred(600, (640, 480)),
        camera_position=np.tile(np.array([0, -5, 1.0], np.float32), (count, 1)),
    )
    return table.with_world(joints)


@pytest.fixture
def truth() -> Truth:
    """The walk at 50 frames a second, with other axes over the floor than the film's."""
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    return Truth(WALK @ turn.T + np.array([7, -3, 0]), 50.0)


def test_the_truth_is_turned_and_moved_to_the_person(truth: Truth) -> None:
    table = film(WALK[10:50:2], 25)
    placed = truth_table(truth, table, start=10 / 50)
    assert placed.track.tolist() == [3] * 20
    np.testing.assert_allclose(placed.world()[..., :2], table.world()[..., :2], atol=2e-3)
    assert error_of(table, placed) < 0.01
    bent = replace(table, pose=table.pose * np.where(np.arange(17) == 3, 1.2, 1).astype(np.float32)[:, None])
    assert 5 < error_of(bent, placed) < 30


def test_a_truth_that_is_shorter_than_the_video(truth: Truth) -> None:
    placed = truth_table(truth, film(WALK[::2], 25), start=1.0)  # the walk lasts 1.2 seconds
    assert placed.frame.tolist() == list(range(5))
    with pytest.raises(UsageError, match=r"expected motion at the times of person 3, found 1\.2 s of it"):
        truth_table(truth, film(WALK, 25), start=2.0)


def test_truth_of_a_motion_capture_table(tmp_path: Path) -> None:
    write_table(tmp_path / "mocap.npz", walking_clips())
    found = load_truth(f"{tmp_path / 'mocap.npz'}:01_walk")
    assert found.rate == 50
    np.testing.assert_allclose(found.joints, WALK, atol=6e-4)
    with pytest.raises(UsageError, match=r"expected one of its 6 clips \(01_walk, 01_jump"):
        load_truth(f"{tmp_path / 'mocap.npz'}:run")
    with pytest.raises(UsageError, match="expected one of its 6 clips"):
        load_truth(str(tmp_path / "mocap.npz"))
    with pytest.raises(InputError, match="no such file"):
        load_truth(str(tmp_path / "none.npz"))
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(InputError, match="is neither a motion-capture table nor data_3d_h36m"):
        load_truth(str(tmp_path / "text.npz"))


def test_truth_of_human36m(tmp_path: Path) -> None:
    joints = np.zeros((40, 32, 3), np.float32)
    joints[:, JOINTS_OF_32] = STILL[:17]
    save_positions_3d(tmp_path / "data_3d_h36m.npz", {"S9": {"Walking 1": joints}, "S11": {"Eating": joints}})
    found = load_truth(f"{tmp_path / 'data_3d_h36m.npz'}:S9/Walking 1")
    assert (found.rate, found.joints.shape) == (50, (40, 17, 3))
    np.testing.assert_allclose(found.joints[7], STILL[:17], atol=1e-6)


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    """Three tables of one film, one of them of a lifter that makes people taller."""
    paths = [tmp_path / f"{name}.npz" for name in ("good", "tall", "again")]
    for path, factor in zip(paths, (1, 1.3, 1), strict=True):
        film(WALK[:20:2] * factor, 25).save(path)
    return paths


def test_an_animation_side_by_side(tables: list[Path], tmp_path: Path, videopose: Run) -> None:
    write_table(tmp_path / "mocap.npz", walking_clips())
    done = videopose(
        "compare", *tables[:2], "--no-video", "--truth", f"{tmp_path / 'mocap.npz'}:01_walk", "-o",
        tmp_path / "out.mp4", "--size", "900x400", "--view", "side",
    )  # fmt: skip
    assert done.code == 0, done.err
    with open_video(tmp_path / "out.mp4") as opened:
        frames = [frame.image for frame in opened.frames()]
    assert len(frames) == 10
    thirds = [frames[5][:, start : start + 300].astype(int) for start in (0, 300, 600)]
    for colour in (LEFT, RIGHT):
        counts = [(np.abs(part - colour).max(-1) < 50).sum() for part in thirds]
        assert min(counts) > 30, (colour, counts)
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.network
def test_a_page_side_by_side(tables: list[Path], tmp_path: Path, videopose: Run) -> None:
    write_table(tmp_path / "mocap.npz", walking_clips())
    done = videopose(
        "compare", *tables, "--labels", "good, tall,again", "--no-video", "--truth",
        f"{tmp_path / 'mocap.npz'}:01_walk", "-o", tmp_path / "out.html",
    )  # fmt: skip
    assert done.code == 0, done.err
    [text] = re.findall(r'id="data">(.*?)</script>', (tmp_path / "out.html").read_text(encoding="utf-8"))
    sources = json.loads(text)["sources"]
    assert [source["label"] for source in sources] == [
        "good · 0 mm P-MPJPE",
        "tall · 0 mm P-MPJPE",
        "again · 0 mm P-MPJPE",
        "truth",
    ]
    assert [source["intrinsics"] is None for source in sources] == [False, True, True, True]


def test_the_truth_is_read_once_for_all_files(
    tables: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "mocap.npz", walking_clips())
    read: list[str] = []

    def counted(text: str) -> Truth:
        read.append(text)
        return load_truth(text)

    monkeypatch.setattr(compare, "load_truth", counted)
    options = compare.CompareOptions(truth=f"{tmp_path / 'mocap.npz'}:01_walk", size=(400, 200))
    outputs, said = [tmp_path / "out.mp4", tmp_path / "out.gif"], list[str]()
    loaded = [PoseTable.load(table) for table in tables[:2]]
    compare.write_comparison(loaded, tables[:2], outputs, options, report=said.append)
    assert all(output.exists() for output in outputs)
    assert said == [f"→ {output}" for output in outputs]
    assert len(read) == 1


def test_a_table_without_poses_is_named(tables: list[Path], videopose: Run) -> None:
    table = PoseTable.load(tables[1])
    replace(table, pose=np.full_like(table.pose, np.nan)).save(tables[1])
    done = videopose("compare", *tables[:2], "--no-video")
    assert done.code == 3
    assert done.errors == [f"error: {tables[1]}: the table has no poses; `videopose lift` makes them"]


def test_what_cannot_be_compared(tables: list[Path], tmp_path: Path, videopose: Run) -> None:
    film(WALK[:7], 25).save(tmp_path / "short.npz")
    for words, message in (
        ([tables[0]], "expected 2 to 4 motions, the truth included, found 1 table"),
        ([*tables, *tables], "expected 2 to 4 motions, the truth included, found 6 tables"),
        ([*tables[:2], "--labels", "one"], "--labels: expected 2 names, found 1"),
        ([tables[0], tmp_path / "short.npz"], "with 7 frames of 640×480 pixels"),
        ([*tables[:2], "--video", "x.mp4", "--no-video"], "give --video or --no-video, not both"),
        ([*tables[:2], "--fps", "99"], "--fps takes a rate above 0 and up to 60"),
        ([*tables[:2], "-o", tmp_path / "x.txt"], "must end in one of"),
    ):
        extra = [] if "--no-video" in words else ["--no-video"]
        done = videopose("compare", *words, *extra)
        assert done.code == 2, (words, done.err)
        assert message in done.errors[0]
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz"}


def test_a_comparison_does_not_replace_the_video(tables: list[Path], videopose: Run) -> None:
    for suffix in (".mp4", ".html"):
        video = tables[0].with_suffix(suffix)
        video.write_bytes(b"a film")
        done = videopose("compare", *tables, "--video", video, "-o", video, "--overwrite")
        assert done.code == 2, done.err
        assert f"{video} is the video itself; --output writes elsewhere" in done.errors[0]
        assert video.read_bytes() == b"a film"
