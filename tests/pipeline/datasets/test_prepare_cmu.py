from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from click.testing import CliRunner, Result
from scipy.io import savemat

from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.datasets.cmu import NOTICE, UNIT
from videopose.lifting.datasets.human36m import JOINTS_OF_32, load_h36m
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.humaneva import load_humaneva
from videopose.lifting.datasets.motion_capture import STORED_JOINTS, MotionCapture
from videopose.lifting.datasets.recordings import Recording
from videopose.pipeline.cli.prepare import prepare

PLACE = Path("MyPoseFeatures", "D3_Positions")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(prepare, [str(a) for a in arguments], standalone_mode=False)


def _done(*arguments: object, status: int = 0) -> str:
    """Run a subcommand and return what it said."""
    result = _run(*arguments)
    if result.exception:
        raise result.exception
    assert result.return_value == status
    return result.stderr


# Human3.6M


def _millimetres(seed: int, frames: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-500, 500, (frames, 32, 3)).astype(np.float32)


def _write_cdf(path: Path, poses: np.ndarray) -> None:
    """As the data set has it: one record of (frames, 96) under "Pose"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = poses.reshape(1, len(poses), 96)
    with CDF(path, cdf_spec={"Compressed": 6}) as file:
        file.write_var(
            {
                "Variable": "Pose", "Data_Type": CDF.CDF_FLOAT, "Num_Elements": 1, "Rec_Vary": True,
                "Dim_Sizes": list(flat.shape[1:]), "Compress": 6,
            },
            var_data=flat,
        )  # fmt: skip


def _h36m(folder: Path) -> dict[tuple[str, str], np.ndarray]:
    """A small Human3.6M; the poses in metres under their names in the field."""
    files = {
        ("S1", "Walking 1"): "Walking 1.cdf",
        ("S1", "Photo"): "TakingPhoto.cdf",
        ("S9", "WalkDog"): "WalkingDog.cdf",
        ("S11", "Directions 1"): "Directions 1.cdf",
    }
    poses = {}
    for seed, ((subject, action), name) in enumerate(files.items()):
        poses[subject, action] = _millimetres(seed, 3 + seed) / 1000
        _write_cdf(folder / subject / PLACE / name, _millimetres(seed, 3 + seed))
    _write_cdf(folder / "S11" / PLACE / "Directions.cdf", _millimetres(9))  # whose video is damaged
    return poses


def _in_world(recording: Recording) -> np.ndarray:
    camera = recording.camera.extrinsics
    return (recording.pose + recording.root[:, None]) @ camera.rotation.T + camera.position


def _assert_h36m(output: Path, poses: dict[tuple[str, str], np.ndarray]) -> None:
    data = load_h36m(output, output.with_name("data_2d_h36m_gt.npz"))
    assert {(r.subject, r.action) for r in data.recordings} == set(poses)
    assert len(data) == 4 * len(poses)
    for r in data.recordings:
        world = _in_world(r)
        np.testing.assert_allclose(world, poses[r.subject, r.action][:, JOINTS_OF_32], atol=1e-5)
        assert r.camera.lens is not None
        np.testing.assert_allclose(r.keypoints, r.camera.lens.project(r.pose + r.root[:, None]), atol=1e-2)


def test_human36m_from_cdf_files(tmp_path: Path) -> None:
    poses = _h36m(tmp_path / "in")
    output = tmp_path / "out" / "data_3d_h36m.npz"
    said = _done("h36m", tmp_path / "in", "-o", output)
    _assert_h36m(output, poses)
    assert f"→ {output}" in said
    assert "note: S1 has 2 clips, the full dataset has 30" in said
    assert "note: S11 has 1 clips, the full dataset has 29" in said
    assert "note: S5 has 0 clips" in said
    assert set(CAMERAS) == {"S1", "S5", "S6", "S7", "S8", "S9", "S11"}


def test_what_others_read_with_numpy_is_there(tmp_path: Path) -> None:
    poses = _h36m(tmp_path)
    _done("h36m", tmp_path, "-o", tmp_path / "data_3d_h36m.npz")
    with np.load(tmp_path / "data_3d_h36m.npz", allow_pickle=True) as archive:
        positions = archive["positions_3d"].item()
    assert positions["S9"]["WalkDog"].dtype == np.float32
    np.testing.assert_allclose(positions["S9"]["WalkDog"], poses["S9", "WalkDog"], atol=1e-6)
    with np.load(tmp_path / "data_2d_h36m_gt.npz", allow_pickle=True) as archive:
        keypoints, metadata = archive["positions_2d"].item(), archive["metadata"].item()
    assert [k.shape for k in keypoints["S9"]["WalkDog"]] == [(5, 17, 2)] * 4
    assert metadata["num_joints"] == 17
    assert metadata["keypoints_symmetry"] == [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]


def test_human36m_from_matlab_files(tmp_path: Path) -> None:
    cell = np.empty((1, 1), object)
    cell[0, 0] = _millimetres(0).reshape(-1, 96)
    place = tmp_path / "S5" / PLACE
    place.mkdir(parents=True)
    savemat(place / "Sitting 1.cdf.mat", {"data": cell})
    _done("h36m", tmp_path, "-o", tmp_path / "data_3d_h36m.npz")
    _assert_h36m(tmp_path / "data_3d_h36m.npz", {("S5", "Sitting 1"): _millimetres(0) / 1000})


def test_a_damaged_file_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    poses = _h36m(tmp_path)
    (tmp_path / "S1" / PLACE / "Photo 1.cdf").write_bytes(b"nothing of the kind")
    bad = np.full((3, 32, 3), np.nan, np.float32)
    _write_cdf(tmp_path / "S1" / PLACE / "Eating.cdf", bad)
    said = _done("h36m", tmp_path, "-o", tmp_path / "data_3d_h36m.npz", status=7)
    _assert_h36m(tmp_path / "data_3d_h36m.npz", poses)
    lines = [line for line in said.splitlines() if line.startswith("error:")]
    assert len(lines) == 2
    assert "Eating.cdf is not a file of Human3.6M's 3D positions (poses are missing)" in lines[0]
    assert "Photo 1.cdf is not a file" in lines[1]
    assert said.splitlines()[-1] == f"{len(poses)} of {len(poses) + 2} done"


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    _h36m(tmp_path)
    (tmp_path / "data_2d_h36m_gt.npz").write_text("mine")
    with pytest.raises(OutputError, match=r"data_2d_h36m_gt\.npz exists; --overwrite replaces it"):
        _done("h36m", tmp_path, "-o", tmp_path / "x.npz")
    assert (tmp_path / "data_2d_h36m_gt.npz").read_text() == "mine"
    assert not (tmp_path / "x.npz").exists()
    _done("h36m", tmp_path, "-o", tmp_path / "x.npz", "--overwrite")
    with pytest.raises(UsageError, match="is the name of the file of keypoints"):
        _done("h36m", tmp_path, "-o", tmp_path / "data_2d_h36m_gt.npz", "--overwrite")


def test_folders_without_the_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        _done("cmu", tmp_path / "nowhere")
    for name, what in (
        ("h36m", "unpack Poses_D3"),
        ("humaneva", r"ConvertHumanEva\.m"),
        ("cmu", r"no \.bvh"),
    ):
        with pytest.raises(InputError, match=what):
            _done(name, tmp_path, "-o", tmp_path / "out.npz")
    place = tmp_path / "S1" / PLACE
    place.mkdir(parents=True)
    (place / "Walking.cdf").write_bytes(b"")
    with pytest.raises(InputError, match=r"no file under .* could be read"):
        _done("h36m", tmp_path, "-o", tmp_path / "out.npz")
    assert not list(tmp_path.glob("*.npz"))


# HumanEva-I


def test_humaneva_from_matlab_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    world, views = rng.uniform(-900, 900, (8, 15, 3)), rng.uniform(0, 480, (3, 8, 15, 2))
    broken, broken_views = world.copy(), views.copy()
    broken[4:6], broken_views[:, 4:6] = np.nan, np.nan
    for place, poses_3d, poses_2d in (
        ("Train/S1/Walking_1.mat", broken, broken_views),
        ("Validate/S2/Box_1.mat", world, views),
        ("Train/S3/Jog_1.mat", world[:, :14], views),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        savemat(tmp_path / place, {"poses_3d": poses_3d, "poses_2d": poses_2d})
    output = tmp_path / "data_3d_humaneva15.npz"
    said = _done("humaneva", tmp_path, "-o", output, status=7)
    assert "Jog_1.mat is not a clip of HumanEva-I (poses_3d (8, 14, 3)" in said
    data = load_humaneva(output, tmp_path / "data_2d_humaneva15_gt.npz")
    expected = {
        ("Train/S1", "Walking 1 chunk0"): slice(0, 4),
        ("Train/S1", "Walking 1 chunk2"): slice(6, 8),
        ("Validate/S2", "Box 1 chunk0"): slice(0, 8),
    }
    assert {(r.subject, r.action) for r in data.recordings} == set(expected)
    for i, r in enumerate(data.recordings):
        span = expected[r.subject, r.action]
        back = _in_world(r)
        np.testing.assert_allclose(back, world[span] / 1000, atol=1e-5)
        np.testing.assert_allclose(r.keypoints, views[i % 3, span], rtol=1e-6)


# CMU: one made-up person, written as ASF/AMC and as the conversion to BVH. Bone, parent, direction × length
# in CMU's units, and the joint of the BVH at the bone's near end.

BONES: list[tuple[str, str, tuple[float, float, float], str]] = [
    ("lhipjoint", "root", (1.5, -1, 0), "LHipJoint"),
    ("lfemur", "lhipjoint", (0.4, -7, 0), "LeftUpLeg"),
    ("ltibia", "lfemur", (0, -7.4, -0.3), "LeftLeg"),
    ("lfoot", "ltibia", (0, -1, 2), "LeftFoot"),
    ("rhipjoint", "root", (-1.5, -1, 0), "RHipJoint"),
    ("rfemur", "rhipjoint", (-0.4, -7, 0), "RightUpLeg"),
    ("rtibia", "rfemur", (0, -7.4, -0.3), "RightLeg"),
    ("rfoot", "rtibia", (0, -1, 2), "RightFoot"),
    ("lowerback", "root", (0, 2, -0.2), "LowerBack"),
    ("upperback", "lowerback", (0, 2, 0), "Spine"),
    ("thorax", "upperback", (0, 2.02, 0), "Spine1"),
    ("lowerneck", "thorax", (0, 1.4, 0.2), "Neck"),
    ("upperneck", "lowerneck", (0, 1.6, 0.2), "Neck1"),
    ("head", "upperneck", (0, 1.7, 0), "Head"),
    ("lclavicle", "thorax", (3.3, 0.6, 0), "LeftShoulder"),
    ("lhumerus", "lclavicle", (5, 0, 0), "LeftArm"),
    ("lradius", "lhumerus", (3.2, 0, 0), "LeftForeArm"),
    ("lwrist", "lradius", (1.6, 0, 0), "LeftHand"),
    ("rclavicle", "thorax", (-3.3, 0.6, 0), "RightShoulder"),
    ("rhumerus", "rclavicle", (-5, 0, 0), "RightArm"),
    ("rradius", "rhumerus", (-3.2, 0, 0), "RightForeArm"),
    ("rwrist", "rradius", (-1.6, 0, 0), "RightHand"),
]


def _angles(frames: int, seed: int) -> np.ndarray:
    """(T, 1 + bones, 3) degrees: the root first. Turns about x, y, z in this order, about fixed axes."""
    time = np.arange(frames)[:, None, None] / 120
    rng = np.random.default_rng(seed)
    return rng.uniform(2, 8, (1, len(BONES) + 1, 3)) * np.sin(
        2 * time + rng.uniform(0, 6, (1, len(BONES) + 1, 3))
    )


def _walk(frames: int, seed: int) -> np.ndarray:
    """(T, 3) the root in CMU's units."""
    time = np.arange(frames) / 120
    return np.stack([3 + 0 * time, 16 + 0.2 * np.sin(9 * time), (10 + seed) * time], -1)


def _words(values: Any) -> str:
    return " ".join(f"{v:.9g}" for v in values)


def _write_amc(folder: Path, name: str, frames: int = 241, seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [":units", " length 0.45", " angle deg", ":root", " order TX TY TZ RX RY RZ", ":bonedata"]
    for bone, _, vector, _ in BONES:
        length = np.linalg.norm(vector)
        lines += ["begin", f" name {bone}", f" direction {_words(np.array(vector) / length)}"]
        lines += [f" length {length:.9g}", " axis 0 0 0 XYZ", " dof rx ry rz", "end"]
    lines += [":hierarchy", "begin", *(f"{parent} {bone}" for bone, parent, *_ in BONES), "end"]
    (folder / f"{name.split('_')[0]}.asf").write_text("\n".join(lines))
    rows = [":FULLY-SPECIFIED", ":DEGREES"]
    for i, (place, angles) in enumerate(zip(_walk(frames, seed), _angles(frames, seed), strict=True), 1):
        rows += [str(i), f"root {_words(place)} {_words(angles[0])}"]
        rows += [f"{b[0]} {_words(a)}" for b, a in zip(BONES, angles[1:], strict=True)]
    (folder / f"{name}.amc").write_text("\n".join(rows))


def _write_bvh(folder: Path, name: str, frames: int = 241, seed: int = 0) -> None:
    """The conversion's faults and all: no offset for thorax, and a T-pose first."""
    folder.mkdir(parents=True, exist_ok=True)
    order: list[int] = []

    def joint(index: int) -> str:
        bone, parent, _, label = BONES[index]
        order.append(index)
        offset = next((b[2] for b in BONES if b[0] == parent and parent != "thorax"), (0, 0, 0))
        inside = "".join(joint(i) for i, b in enumerate(BONES) if b[1] == bone)
        inside = inside or f"End Site {{ OFFSET {_words(BONES[index][2])} }}\n"
        channels = "CHANNELS 3 Zrotation Yrotation Xrotation"
        return f"JOINT {label} {{ OFFSET {_words(offset)}\n{channels}\n{inside}}}\n"

    joints = "".join(joint(i) for i, b in enumerate(BONES) if b[1] == "root")
    channels = "6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
    rows = [_words([0, 17, 0] + [0] * (3 + 3 * len(BONES)))]
    for place, angles in zip(_walk(frames, seed), _angles(frames, seed), strict=True):
        rows.append(f"{_words(place)} {_words(angles[0, ::-1])} {_words(angles[1:][order, ::-1].ravel())}")
    (folder / f"{name}.bvh").write_text(
        f"HIERARCHY\nROOT Hips {{ OFFSET 0 0 0\nCHANNELS {channels}\n{joints}}}\n"
        f"MOTION\nFrames: {frames + 1}\nFrame Time: .0083333\n" + "\n".join(rows)
    )


def test_cmu_from_both_formats_is_the_same(tmp_path: Path) -> None:
    _write_amc(tmp_path / "asf" / "subjects" / "07", "07_01")
    _write_bvh(tmp_path / "bvh" / "001", "07_01")
    for name in ("asf", "bvh"):
        _done("cmu", tmp_path / name, "-o", tmp_path / f"{name}.npz")
    one, other = (MotionCapture.load(tmp_path / f"{name}.npz") for name in ("asf", "bvh"))
    assert one.names == other.names == ("07_01",)
    assert one.rate == 50
    assert one.lengths.tolist() == other.lengths.tolist() == [101]
    np.testing.assert_allclose(one.positions, other.positions, atol=2e-3)  # stored in whole millimetres
    thigh = one.positions[:, STORED_JOINTS.index("lhip")] - one.positions[:, STORED_JOINTS.index("lknee")]
    np.testing.assert_allclose(np.linalg.norm(thigh, axis=-1), np.hypot(0.4, 7) * UNIT, atol=2e-3)
    feet = [STORED_JOINTS.index(f) for f in ("lfoot", "rfoot")]
    assert one.positions[0, STORED_JOINTS.index("head"), 2] - one.positions[0, feet, 2].max() > 1.2
    assert one.positions[-1, 0, 1] < -1  # it walks where it faces: +z of CMU's is −y here


def test_cmu_keeps_going_past_bad_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    _write_amc(folder, "07_01")
    _write_bvh(folder, "07_01", seed=5)  # the same clip again: the AMC is read
    _write_bvh(folder, "08_03")  # the same motion under another name
    _write_bvh(folder, "09_02", seed=2)
    _write_bvh(folder, "60_01", seed=3)
    (folder / "10_01.bvh").write_text("HIERARCHY")
    (folder / "11_01.amc").write_text("1\n")
    (folder / "walk.bvh").write_text("")
    (folder / "index.txt").write_text("07_01\twalk\n09_02\twalk, turn\n")
    arguments = ("cmu", folder, "-o", tmp_path / "cmu.npz", "--index", folder / "index.txt")
    said = _done(*arguments, status=7)
    errors = [line for line in said.splitlines() if line.startswith("error:")]
    assert len(errors) == 3
    assert "11.asf" in errors[0]
    assert "10_01.bvh is not a BVH file" in errors[1]
    assert "'walk' is not named after a clip" in errors[2]
    assert "note: 08_03 shows the same motion as 07_01" in said
    assert "3 clips of 3 people, 0.1 minutes" in said
    table = MotionCapture.load(tmp_path / "cmu.npz")
    assert table.names == ("07_01", "09_02", "60_01")
    assert table.actions == ("walk", "walk, turn", "")
    assert table.sources == ("in",) * 3
    assert table.lengths.tolist() == [101, 101, 201]  # subject 60 was captured at 60 frames a second
    with np.load(tmp_path / "cmu.npz", allow_pickle=False) as archive:
        assert str(archive["meta"]) == NOTICE
        assert archive["joints"].tolist() == list(STORED_JOINTS)
    with pytest.raises(OutputError, match="exists; --overwrite"):
        _done(*arguments)


def test_cmu_at_another_rate(tmp_path: Path) -> None:
    _write_amc(tmp_path, "07_01")
    _done("cmu", tmp_path, "-o", tmp_path / "cmu.npz", "--rate", 60)
    assert MotionCapture.load(tmp_path / "cmu.npz").lengths.tolist() == [201]
    with pytest.raises(click.BadParameter, match="positive frame rate"):
        _done("cmu", tmp_path, "-o", tmp_path / "x.npz", "--rate", 0)
    with pytest.raises(InputError, match="no such file"):
        _done("cmu", tmp_path, "-o", tmp_path / "x.npz", "--index", tmp_path / "none.txt")


def test_help_tells_the_layout_of_the_downloads() -> None:
    for name, word in (("h36m", "MyPoseFeatures"), ("humaneva", "converted_15j"), ("cmu", "07.asf")):
        result = CliRunner().invoke(prepare, [name, "--help"])
        assert result.exit_code == 0
        assert word in result.output
