import dataclasses
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError, OutputError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable

# Track 2 on frames 0–2, track 5 on frames 1 and 4, of five decoded frames.
TRACKS = np.array([2, 2, 2, 5, 5], np.int32)
FRAMES = np.array([0, 1, 2, 1, 4], np.int32)
SCHEMA = {
    "track": ((5,), np.int32), "frame": ((5,), np.int32), "keypoints": ((5, 17, 3), np.float32),
    "pose": ((5, 17, 3), np.float32), "root": ((5, 3), np.float32), "filled": ((5,), np.bool_),
    "time": ((5,), np.float64), "size": ((2,), np.int32), "intrinsics": ((4,), np.float32),
}  # fmt: skip
WORLD = {
    "confidence": ((5, 17), np.float32), "contact": ((5, 2), np.float32),
    "camera_rotation": ((5, 3, 3), np.float32), "camera_position": ((5, 3), np.float32),
}  # fmt: skip


ROWS = (
    ("keypoints", (17, 3), np.float32),
    ("pose", (17, 3), np.float32),
    ("root", (3,), np.float32),
    ("filled", (), np.bool_),
)


def _table(**changes: Any) -> PoseTable:
    random = np.random.default_rng(0)
    root = random.normal(size=(5, 3)).astype(np.float32)
    root[3] = np.nan
    values: dict[str, Any] = {
        "track": TRACKS,
        "frame": FRAMES,
        "keypoints": random.random((5, 17, 3), np.float32),
        "pose": random.normal(size=(5, 17, 3)).astype(np.float32),
        "root": root,
        "filled": np.array([0, 1, 0, 0, 0], bool),
        "time": np.array([0.0, 0.04, 0.09, 0.12, 0.16]),
        "size": (640, 360),
        "intrinsics": Intrinsics(500, 510, 320, 180),
        "meta": {"detector": "movenet", "versions": {"videopose": "0.1"}, "name": "Zoë"},
    }
    return PoseTable(**values | changes)


def _assert_same(one: PoseTable, other: PoseTable) -> None:
    for field in dataclasses.fields(PoseTable):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b, field.name


def _empty() -> PoseTable:
    return _table(**{k: getattr(_table(), k)[:0] for k in list(SCHEMA)[:6]})


def test_round_trip(tmp_path: Path) -> None:
    _table().save(tmp_path / "a.npz")
    _assert_same(PoseTable.load(tmp_path / "a.npz"), _table())
    _empty().save(tmp_path / "b.npz")
    _assert_same(PoseTable.load(tmp_path / "b.npz"), _empty())


def test_numpy_alone_reads_the_agreed_schema(tmp_path: Path) -> None:
    _table().save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {*SCHEMA, *WORLD, "meta"}
        for name, (shape, kind) in {**SCHEMA, **WORLD}.items():
            assert archive[name].shape == shape, name
            assert archive[name].dtype == kind, name
        assert archive["meta"].shape == ()
        assert archive["meta"].dtype.kind == "U"
        assert json.loads(str(archive["meta"])) == _table().meta
        assert archive["size"].tolist() == [640, 360]
        assert archive["intrinsics"].tolist() == [500, 510, 320, 180]
        np.testing.assert_array_equal(archive["pose"], _table().pose)


def test_any_file_name_will_do(tmp_path: Path) -> None:
    _table().save(tmp_path / "poses.backup")
    assert [p.name for p in tmp_path.iterdir()] == ["poses.backup"]
    _assert_same(PoseTable.load(tmp_path / "poses.backup"), _table())


def test_tracks_and_their_rows() -> None:
    table = _table()
    assert len(table) == 5
    assert list(table.tracks()) == [(2, slice(0, 3)), (5, slice(3, 5))]
    assert list(_empty().tracks()) == []


def test_stretches_end_at_gaps() -> None:
    frames = np.array([3, 4, 7, 8, 9, 5, 6], np.int32)
    track = np.array([0, 0, 0, 0, 0, 1, 1], np.int32)
    rows = {name: np.zeros((7, *tail), kind) for name, tail, kind in ROWS}
    table = PoseTable(
        track=track, frame=frames, **rows, time=np.arange(10) / 30, size=(640, 360),
        intrinsics=Intrinsics(500, 500, 320, 180),
    )  # fmt: skip
    assert list(table.stretches()) == [(0, slice(0, 2)), (0, slice(2, 5)), (1, slice(5, 7))]
    assert list(_empty().stretches()) == []


def test_rate_is_by_the_median_step() -> None:
    assert _table(time=np.array([0, 0.04, 0.08, 0.08, 0.5])).rate == pytest.approx(25)
    assert _table(time=np.array([0, 0.02, 0.04, 0.06, 0.08])).rate == pytest.approx(50)
    assert _table(time=np.zeros(5)).rate == 25


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("keypoints", np.zeros((5, 17, 2), np.float32), "keypoints: expected float32"),
        ("pose", np.zeros((5, 15, 3), np.float32), "pose: expected float32"),
        ("pose", np.zeros((5, 17, 3)), "pose: expected float32"),
        ("root", np.zeros((4, 3), np.float32), "root: expected float32"),
        ("filled", np.zeros(5, np.int32), "filled: expected bool"),
        ("track", TRACKS.astype(np.int64), "track: expected int32"),
        ("frame", FRAMES[:, None], "frame: expected int32"),
        ("time", np.zeros((5, 1)), "time: expected a rising"),
        ("time", np.array([0, 0.04, 0.03, 0.12, 0.16]), "time: expected a rising"),
        ("time", np.array([0, 0.04, np.nan, 0.12, 0.16]), "time: expected a rising"),
        ("time", np.array([0, 0.04, 0.08, 0.12, 0.16], np.float32), "time: expected a rising"),
        ("frame", np.array([0, 1, 2, 1, 5], np.int32), "outside"),
        ("frame", np.array([-1, 1, 2, 1, 4], np.int32), "outside"),
        ("frame", np.array([0, 2, 2, 1, 4], np.int32), "repeats"),
        ("frame", np.array([0, 2, 1, 1, 4], np.int32), "sorted"),
        ("track", np.array([5, 5, 5, 2, 2], np.int32), "sorted"),
        ("confidence", np.zeros((5, 16), np.float32), "confidence: expected float32"),
        ("contact", np.zeros((5, 2)), "contact: expected float32"),
        ("camera_rotation", np.zeros((4, 3, 3), np.float32), "camera_rotation: expected float32"),
        ("camera_position", np.zeros((5, 3)), "camera_position: expected float32"),
    ],
)
def test_tables_check_themselves(name: str, value: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _table(**{name: value})


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    _table().save(path)
    with pytest.raises(TypeError, match="JSON"):
        _table(meta={"unwritable": object()}).save(path)
    assert list(tmp_path.iterdir()) == [path]
    _assert_same(PoseTable.load(path), _table())


def test_an_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        _table().save(tmp_path / "file" / "a.npz")


class _MakesFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("key", ["track", "time", "size", "intrinsics", "meta"])
def test_nothing_in_a_table_is_executed(tmp_path: Path, key: str) -> None:
    _table().save(tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays[key] = np.array([_MakesFolder(tmp_path / "executed")], object)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(InputError, match="not a pose table"):
        PoseTable.load(tmp_path / "bad.npz")
    assert not (tmp_path / "executed").exists()


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    np.array([_MakesFolder(tmp_path / "executed")], object).dump(tmp_path / "bad.npz")
    with pytest.raises(InputError, match="not a pose table"):
        PoseTable.load(tmp_path / "bad.npz")
    assert not (tmp_path / "executed").exists()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _replace(key: str, value: Any) -> Any:
    def write(path: Path) -> None:
        _table().save(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        if value is None:
            del arrays[key]
        else:
            arrays[key] = value
        np.savez(path, **arrays)

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"not an archive at all"), id="garbage"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
        pytest.param(lambda path: np.savez(path, a=np.zeros(3)), id="another archive"),
        pytest.param(lambda path: path.write_bytes(_npy()), id="a single array"),
        *(pytest.param(_replace(key, None), id=f"no {key}") for key in (*SCHEMA, "meta")),
        pytest.param(_replace("meta", np.array("{")), id="damaged meta"),
        pytest.param(_replace("meta", np.array("[1]")), id="meta is a list"),
        pytest.param(_replace("size", np.array([1, 2, 3])), id="three sizes"),
        pytest.param(_replace("intrinsics", np.zeros(4, np.float32)), id="no focal length"),
        pytest.param(_replace("intrinsics", np.ones(5, np.float32)), id="five intrinsics"),
        pytest.param(_replace("time", np.array("noon")), id="time is text"),
        pytest.param(_replace("pose", np.zeros((4, 17, 3), np.float32)), id="too few poses"),
    ],
)
def test_other_files_are_input_errors(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.npz"
    write(path)
    with pytest.raises(InputError, match=r"a\.npz is not a pose table"):
        PoseTable.load(path)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.npz: no such file"):
        PoseTable.load(tmp_path / "a.npz")


def test_truncated_files_are_input_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    _table().save(path)
    whole = path.read_bytes()
    for share in (0.001, 0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(share * len(whole)) + 1])
        with pytest.raises(InputError, match="not a pose table"):
            PoseTable.load(path)


def test_damaged_files_are_input_errors_or_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    _table().save(path)
    whole = path.read_bytes()
    refused = 0
    for at in np.random.default_rng(0).choice(len(whole), 200, replace=False):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        try:
            table = PoseTable.load(path)
        except InputError:
            refused += 1
        else:
            _assert_same(table, _table())
    assert refused > 100


@pytest.mark.parametrize(
    ("stamps", "rate"),
    [
        (np.round(np.arange(200) / 60, 3), 60.0),  # a container that rounds to milliseconds
        (np.round(np.arange(200) * 1001 / 30000, 3), 30000 / 1001),
        (np.concatenate([np.arange(30) / 30, 5 + np.arange(30) / 30]), 30.0),  # a pause in the middle
        (np.array([0.0]), 25.0),
    ],
)
def test_the_rate_is_that_of_the_even_parts(stamps: Any, rate: float) -> None:
    nobody = {
        name: getattr(_table(), name)[:0]
        for name in SCHEMA
        if name in "track frame keypoints pose root filled"
    }
    assert _table(**nobody, time=stamps).rate == pytest.approx(rate, rel=2e-3)


def test_defaults_of_the_world() -> None:
    table = _table()
    np.testing.assert_array_equal(table.confidence[:, 0], table.keypoints[:, 11:13, 2].min(1))
    assert np.isnan(table.contact).all()
    assert table.world()[0, 5] == pytest.approx(
        (table.pose + table.root[:, None])[0, 5][[0, 2, 1]] * (1, 1, -1)
    )
    assert np.isnan(table.world()[3]).all()


def test_joints_in_the_world_and_back() -> None:
    turn = Rotation.random(5, random_state=1).as_matrix().astype(np.float32)
    place = np.arange(15, dtype=np.float32).reshape(5, 3)
    table = _table(camera_rotation=turn, camera_position=place)
    joints = table.world()
    row, frame = 4, 4
    assert joints[row, 6] == pytest.approx(
        turn[frame] @ (table.pose[row, 6] + table.root[row]) + place[frame], abs=1e-5
    )
    moved = table.with_world(joints + np.float32([1, 2, 3]))
    assert moved.world()[[0, 1, 2, 4]] == pytest.approx(joints[[0, 1, 2, 4]] + [1, 2, 3], abs=1e-5)
    np.testing.assert_array_equal(moved.pose[3], table.pose[3])


def test_rows_of_a_table() -> None:
    table = _table()
    assert table[table.track == 5].frame.tolist() == [1, 4]
    assert table[1:3].frame.tolist() == [1, 2]
    assert len(table[1:3].time) == 5


def test_a_table_of_an_earlier_version_is_levelled(tmp_path: Path) -> None:
    upright = np.zeros((17, 3), np.float32)
    upright[[3, 6], 1] = 0.9  # feet below, thorax above the hip
    upright[8, 1] = -0.5
    tilt = Rotation.from_euler("x", 30, degrees=True).as_matrix().astype(np.float32)
    count = 20
    columns = {
        "track": np.zeros(count, np.int32), "frame": np.arange(count, dtype=np.int32),
        "keypoints": np.zeros((count, 17, 3), np.float32), "pose": np.tile(upright @ tilt.T, (count, 1, 1)),
        "root": np.tile(np.float32([0, 0.5, 4]), (count, 1)), "filled": np.zeros(count, bool),
        "time": np.arange(count) / 25, "size": np.int32([640, 360]),
        "intrinsics": np.float32([500, 500, 320, 180]), "meta": np.array("{}"),
    }  # fmt: skip
    np.savez(tmp_path / "old.npz", **columns)
    joints = PoseTable.load(tmp_path / "old.npz").world()
    assert joints[:, [3, 6], 2] == pytest.approx(0.07, abs=1e-4)
    assert joints[:, 8, 2] == pytest.approx(1.47, abs=1e-3)
    assert joints[:, 8, :2] == pytest.approx(joints[:, 0, :2], abs=1e-3)


def _filmed(meta: dict[str, object]) -> PoseTable:
    pose = np.zeros((1, 17, 3), np.float32)
    return PoseTable(
        track=np.zeros(1, np.int32),
        frame=np.zeros(1, np.int32),
        keypoints=pose,
        pose=pose,
        root=pose[:, 0],
        filled=np.zeros(1, np.bool_),
        time=np.zeros(1),
        size=(1920, 1080),
        intrinsics=Intrinsics(1500, 1500, 960, 540),
        meta=meta,
    )


@pytest.mark.parametrize(
    "lens",
    [
        Lens(Intrinsics(1500, 1500, 960, 540)),
        Lens(Intrinsics(1500, 1500, 960, 540), (-0.2, 0.1, 0.01, 0.2, 0.3, 0.4), (1e-3, 2e-3), "opencv"),
    ],
)
def test_a_pose_table_keeps_the_lens(tmp_path: Path, lens: Lens) -> None:
    _filmed({"distortion": lens.distortion}).save(tmp_path / "clip.npz")
    assert PoseTable.load(tmp_path / "clip.npz").lens == lens
    assert _filmed({}).lens == Lens(lens.intrinsics)  # of an earlier version


@pytest.mark.parametrize(
    "distortion",
    [
        3,
        "opencv",
        [],
        {"model": "opencv"},
        {"model": "x", "coefficients": [0] * 4},
        {"model": "opencv", "coefficients": ["a"] * 4},
        {"model": ["opencv"], "coefficients": None},
    ],
)
def test_damaged_distortion_of_a_pose_filmed(distortion: object) -> None:
    with pytest.raises(InputError, match="distortion that a pose table records"):
        _ = _filmed({"distortion": distortion}).lens


@pytest.mark.parametrize("size", [2, 3, 5])
def test_rate_of_frames_in_bursts(size: int) -> None:
    times = [n * size / 30 + 0.001 * k for n in range(20) for k in range(size)]
    assert _table(time=np.array(times)).rate == pytest.approx(30, rel=0.1)


@pytest.mark.parametrize(
    ("damaged", "frames"),
    [
        (None, []),
        ("it breaks off", []),
        ({"frames": [3, 1, 1], "warning": "…"}, [1, 3]),
        ({"frames": [-1, "2", None, 1e9, [0], 10**30, 4]}, [4]),
        ({"frames": 3}, []),
        ([1, 2], []),
    ],
)
def test_damaged_frames_are_read_from_any_table(damaged: object, frames: list[int]) -> None:
    assert _table(meta={"damaged": damaged}).damaged_frames().tolist() == frames
