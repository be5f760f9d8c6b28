"""The formats of points and of numbers: TRC, C3D, MOT, CSV, JSON and NPZ, read as their descriptions say."""

import csv
import io
import json

import c3d
import numpy as np
import pytest
from feet_in_pictures import with_feet
from numpy.typing import NDArray
from walking import motions_of, table_of, walking

from videopose.lifting.exports import FORMATS, Format, Style, find_format
from videopose.lifting.exports.angles import ANKLES, NAMES, joint_angles
from videopose.lifting.exports.clock import make_clock
from videopose.lifting.exports.markers import FOOT_MARKERS, MARKERS, marker_positions
from videopose.lifting.exports.motion import Motion, make_motion
from videopose.lifting.exports.tracks import tracks_in_world
from videopose.skeleton import H36M17
from videopose.unpickle import load_object_npz


@pytest.fixture(scope="module")
def motion() -> Motion:
    """A person who comes on frame 10 and is lost for 4 frames."""
    joints = walking(30)["joints"]
    joints[12:16] = np.nan
    return motions_of(table_of({4: joints}, first={4: 10}))[0]


def _style(found: Format, **changes: str) -> Style:
    return Style(**({"units": found.units[0], "up": found.up[0], "title": "walk"} | changes))


def _written(name: str, motion: Motion, **changes: str) -> bytes:
    return FORMATS[name].encode([motion], _style(find_format(name), **changes))


def _same(found: NDArray[np.float64], expected: NDArray[np.float64], tolerance: float) -> None:
    assert np.allclose(found, expected, atol=tolerance, equal_nan=True)


def test_trc_has_named_columns_a_start_and_empty_cells_in_a_gap(motion: Motion) -> None:
    lines = _written("trc", motion).decode().splitlines()
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\twalk.trc"
    values = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert values["Units"] == "mm"
    assert (values["DataRate"], values["NumFrames"], values["OrigDataStartFrame"]) == ("30", "30", "11")
    assert lines[3].split("\t")[2::3] == list(MARKERS)
    rows = [line.split("\t") for line in lines[6:]]
    assert {len(row) for row in rows} == {2 + 3 * len(MARKERS)}
    assert [row[0] for row in rows] == [str(number) for number in range(11, 41)]
    assert float(rows[0][1]) == pytest.approx(10 / 30, abs=1e-6)
    table = np.array([[float(cell) if cell else np.nan for cell in row[2:]] for row in rows])
    world = marker_positions(motion.joints)
    assert np.isnan(world[12:16]).all()
    _same(table.reshape(-1, 15, 3) / 1000, world[..., [0, 2, 1]] * (1, 1, -1), 1e-6)


def test_markers_are_the_joints_of_their_names() -> None:
    joints = walking(3)["joints"]
    markers = dict(zip(MARKERS, marker_positions(joints).swapaxes(0, 1), strict=True))
    assert (markers["RAnkle"] == joints[:, H36M17.index("rfoot")]).all()
    assert markers["Neck"] == pytest.approx(joints[:, [11, 14]].mean(1))
    assert markers["Hip"] == pytest.approx(joints[:, 0])


@pytest.mark.filterwarnings("ignore:No analog data")
def test_c3d_says_which_points_are_not_seen(motion: Motion) -> None:
    reader = c3d.Reader(io.BytesIO(_written("c3d", motion)))
    assert reader.point_rate == 30
    assert [label.strip() for label in reader.point_labels] == list(MARKERS)
    assert (reader.first_frame, reader.last_frame) == (11, 40)
    assert reader.get("POINT:UNITS").string_value.strip() == "mm"
    points = np.stack([frame for _, frame, _ in reader.read_frames()])
    seen = points[..., 3] >= 0
    assert (seen.all(1) == motion.present).all()
    expected = marker_positions(motion.joints)[motion.present]
    _same(points[motion.present][..., :3] / 1000, expected, 1e-5)


def test_mot_leaves_gaps_out(motion: Motion) -> None:
    lines = _written("mot", motion).decode().splitlines()
    end = lines.index("endheader")
    header = dict(line.split("=") for line in lines[1:end])
    assert header == {"version": "1", "nRows": "26", "nColumns": "26", "inDegrees": "yes"}
    names = lines[end + 1].split("\t")
    rows = np.array([line.split("\t") for line in lines[end + 2 :]], float)
    assert rows.shape == (26, 26)
    assert rows[:, 0] == pytest.approx(motion.times[motion.present], abs=1e-6)
    walk = walking(30)["knee_flexion_r"][motion.present]
    assert rows[:, names.index("knee_angle_r")] == pytest.approx(walk, abs=0.01)


def test_angles_csv(motion: Motion) -> None:
    rows = list(csv.DictReader(io.StringIO(_written("angles", motion).decode())))
    assert len(rows) == 26
    assert list(rows[0]) == ["track", "frame", "time", *NAMES]
    assert {row["track"] for row in rows} == {"4"}
    assert [int(row["frame"]) for row in rows] == motion.frames[motion.present].tolist()
    found = np.array([float(row["hip_rotation_left"] or "nan") for row in rows])
    _same(found, joint_angles(motion.joints)["hip_rotation_left"][motion.present], 1e-3)


@pytest.mark.parametrize("units", ["m", "cm", "mm"])
@pytest.mark.parametrize("up", ["y", "z"])
def test_csv_and_json_hold_the_same_rows(motion: Motion, units: str, up: str) -> None:
    rows = list(csv.DictReader(io.StringIO(_written("csv", motion, units=units, up=up).decode())))
    document = json.loads(_written("json", motion, units=units, up=up))
    assert document["columns"] == list(rows[0])
    assert [[str(value) for value in row] for row in document["rows"]] == [list(row.values()) for row in rows]
    assert (document["up"], document["units"], document["rate"]) == (up, units, 30)
    assert len(rows) == 26 * 17
    assert [row["joint"] for row in rows[:17]] == document["joints"] == list(H36M17.names)
    scale = {"m": 1, "cm": 100, "mm": 1000}[units]
    points = np.array([[float(row[f"{axis}_{units}"]) for axis in "xyz"] for row in rows]) / scale
    world = motion.joints[motion.present].reshape(-1, 3)
    _same(points, world[:, [0, 2, 1]] * (1, 1, -1) if up == "y" else world, 1e-5)
    assert {row["confidence"] for row in rows} == {"1.0"}


def test_npz_is_what_videopose3d_reads(motion: Motion, tmp_path) -> None:
    (tmp_path / "a.npz").write_bytes(_written("npz", motion))
    positions = load_object_npz(tmp_path / "a.npz")["positions_3d"]
    assert list(positions) == ["walk"]
    _same(positions["walk"]["track 4"], motion.joints, 1e-5)


def test_every_format_writes_something_and_has_a_module_of_its_own(motion: Motion) -> None:
    assert len({found.module for found in FORMATS.values()}) == len(FORMATS)
    assert len({found.suffix for found in FORMATS.values()}) == len(FORMATS)


@pytest.fixture(scope="module")
def on_feet() -> Motion:
    """A person who comes on frame 10 and whose heels and toes were found; lost for 4 frames."""
    joints = walking(30)["joints"]
    joints[12:16] = np.nan
    return motions_of(with_feet(table_of({4: joints}, first={4: 10}), 0.0))[0]


def _feet_of(motion: Motion) -> NDArray[np.float64]:
    assert motion.feet is not None
    return motion.feet.positions.reshape(-1, 6, 3)


@pytest.mark.filterwarnings("ignore:No analog data")
def test_trc_and_c3d_have_markers_of_heels_and_toes(on_feet: Motion) -> None:
    lines = _written("trc", on_feet).decode().splitlines()
    assert lines[3].split("\t")[2::3] == [*MARKERS, *FOOT_MARKERS]
    assert FOOT_MARKERS[:2] == ("LHeel", "LBigToe")
    cells = [line.split("\t")[2 + 3 * len(MARKERS) :] for line in lines[6:]]
    table = np.array([[float(cell) if cell else np.nan for cell in row] for row in cells])
    feet = _feet_of(on_feet)
    assert np.isnan(feet[12:16]).all()
    _same(table.reshape(-1, 6, 3) / 1000, feet[..., [0, 2, 1]] * (1, 1, -1), 1e-6)
    reader = c3d.Reader(io.BytesIO(_written("c3d", on_feet)))
    assert [label.strip() for label in reader.point_labels] == [*MARKERS, *FOOT_MARKERS]
    points = np.stack([frame for _, frame, _ in reader.read_frames()])[:, len(MARKERS) :, :3]
    _same(points[on_feet.present] / 1000, feet[on_feet.present], 1e-5)


def test_csv_and_json_have_rows_of_heels_and_toes(on_feet: Motion) -> None:
    rows = list(csv.DictReader(io.StringIO(_written("csv", on_feet).decode())))
    document = json.loads(_written("json", on_feet))
    names = [*H36M17.names, "lheel", "lbigtoe", "lsmalltoe", "rheel", "rbigtoe", "rsmalltoe"]
    assert [row["joint"] for row in rows[: len(names)]] == document["joints"] == names
    assert document["parents"][-6:] == [6, 6, 6, 3, 3, 3]
    assert len(rows) == len(document["rows"]) == 26 * len(names)
    assert rows[17]["confidence"] == "0.9"
    found = np.array([[float(row[f"{axis}_m"]) for axis in "xyz"] for row in rows if "toe" in row["joint"]])
    _same(found, _feet_of(on_feet)[on_feet.present][:, [1, 2, 4, 5]].reshape(-1, 3), 1e-5)


def test_ankle_angles_are_columns_where_heels_and_toes_are_known(on_feet: Motion, motion: Motion) -> None:
    both = FORMATS["angles"].encode([on_feet, motion], _style(find_format("angles"))).decode()
    rows = list(csv.DictReader(io.StringIO(both)))
    assert list(rows[0]) == ["track", "frame", "time", *NAMES, *ANKLES]
    assert rows[0]["ankle_flexion_left"] != "" == rows[-1]["ankle_flexion_left"]
    mot = _written("mot", on_feet).decode().splitlines()
    names = mot[mot.index("endheader") + 1].split("\t")
    first = mot[mot.index("endheader") + 2].split("\t")
    angle = float(first[names.index("ankle_angle_l")])
    assert angle == pytest.approx(float(rows[0]["ankle_flexion_left"]), abs=0.01)


def test_only_seen_leaves_out_toes_that_were_not_found() -> None:
    table = with_feet(table_of({1: walking(10)["joints"]}), 0.0)
    table.extra[:, table.extra_names.index("rbigtoe"), 2] = 0
    (track,) = tracks_in_world(table)
    motion = make_motion(track, make_clock(table.time, table.rate, None), only_seen=True)
    feet = _feet_of(motion)
    assert np.isnan(feet[:, 4]).all()
    assert np.isfinite(np.delete(feet, 4, 1)).all()
