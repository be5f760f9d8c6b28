from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError
from videopose.lifting.datasets.human36m import (
    FILE_SKELETON,
    JOINTS_OF_32,
    RATE,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    canonical_action,
    load_h36m,
    project_all,
    to_17_joints,
)
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.videopose3d_files import KeypointFile
from videopose.skeleton import H36M17, MPII16

# Parents of the data set's 32 joints.
PARENTS_32 = (
    -1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14,
    12, 16, 17, 18, 19, 20, 19, 22, 12, 24, 25, 26, 27, 28, 27, 30
)  # fmt: skip


def _world(frames: int, seed: int = 0) -> np.ndarray:
    """(T, 32, 3) metres: joint j about (0, 0, 0.05 j)."""
    rng = np.random.default_rng(seed)
    positions = rng.normal(0, 0.2, (frames, 32, 3))
    positions[..., 2] += 0.05 * np.arange(32)
    return positions.astype(np.float32)


def _poses() -> dict[str, dict[str, np.ndarray]]:
    return {
        "S1": {"Walking": _world(6), "Walking 1": _world(5, 1), "WalkDog": _world(4, 2)},
        "S9": {"Photo": _world(7, 3)},
        "S11": {"Directions": _world(3, 4), "Directions 1": _world(3, 5)},
    }


def _write(folder: Path, poses: Any = None, keypoints: Any = None, **metadata: Any) -> tuple[Path, Path]:
    """The two files as the field trades them: pickled dicts."""
    poses = _poses() if poses is None else poses
    if keypoints is None:
        keypoints = {
            s: {a: [np.full((len(w), 17, 2), 10.0 * c, np.float32) for c in range(4)] for a, w in v.items()}
            for s, v in poses.items()
        }
    metadata = {
        "layout_name": "h36m",
        "num_joints": 17,
        "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    } | metadata
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=poses)
    np.savez_compressed(folder / "data_2d_h36m_cpn.npz", positions_2d=keypoints, metadata=metadata)
    return folder / "data_3d_h36m.npz", folder / "data_2d_h36m_cpn.npz"


def test_the_17_joints_make_the_tree_of_the_32() -> None:
    for joint, source in enumerate(JOINTS_OF_32):
        parent = PARENTS_32[source]
        while parent >= 0 and parent not in JOINTS_OF_32:
            parent = PARENTS_32[parent]
        # The shoulders hang on the base of the neck (13) in 17 joints, and beside it in 32.
        expected = JOINTS_OF_32.index(13 if joint in (11, 14) else parent) if parent >= 0 else -1
        assert H36M17.parents[joint] == expected
    assert to_17_joints(_world(2)).shape == (2, 17, 3)


def test_every_camera_sees_every_clip_in_its_own_space(tmp_path: Path) -> None:
    data = load_h36m(*_write(tmp_path))
    assert data.rate == RATE == 50
    assert data.skeleton is H36M17
    assert data.keypoint_skeleton is H36M17
    assert FILE_SKELETON.mirror == H36M17.mirror
    seen = [(r.subject, r.action, r.camera.name) for r in data.recordings]
    cameras = ("54138969", "55011271", "58860488", "60457274")
    clips = [
        ("S1", "Walking"),
        ("S1", "Walking 1"),
        ("S1", "WalkDog"),
        ("S9", "Photo"),
        ("S11", "Directions 1"),
    ]
    assert seen == [(s, a, c) for s, a in clips for c in cameras]
    for r in data.recordings:
        world = _poses()[r.subject][r.action][:, JOINTS_OF_32].astype(np.float64)
        w, x, y, z = r.camera.extrinsics.orientation
        turn = Rotation.from_quat([x, y, z, w]).inv()
        expected = turn.apply((world - r.camera.extrinsics.position).reshape(-1, 3)).reshape(world.shape)
        np.testing.assert_allclose(r.root, expected[:, 0], atol=1e-5)
        np.testing.assert_allclose(r.pose, expected - expected[:, :1], atol=1e-5)
        assert (r.pose[:, 0] == 0).all()
        assert (r.keypoints == 10 * cameras.index(r.camera.name)).all()
        assert r.pose.dtype == r.root.dtype == r.keypoints.dtype == np.float32
        assert len(r) == len(world)


def test_subjects_and_activities_are_chosen(tmp_path: Path) -> None:
    files = _write(tmp_path)
    assert {r.action for r in load_h36m(*files, activities=["Walking"]).recordings} == {
        "Walking",
        "Walking 1",
    }
    assert {r.activity for r in load_h36m(*files, subjects=["S1"]).recordings} == {"Walking", "WalkDog"}
    assert {r.subject for r in load_h36m(*files, subjects=TEST_SUBJECTS).recordings} == {"S9", "S11"}
    with pytest.raises(InputError, match="no subject 'S5'; there are S1, S11, S9"):
        load_h36m(*files, subjects=TRAIN_SUBJECTS)
    with pytest.raises(InputError, match="no activity 'Jog'"):
        load_h36m(*files, activities=["Jog"])


def test_the_damaged_recording_is_left_out_and_need_not_have_keypoints(tmp_path: Path) -> None:
    poses = _poses()
    keypoints = {s: {a: [np.zeros((len(w), 17, 2))] * 4 for a, w in v.items()} for s, v in poses.items()}
    del keypoints["S11"]["Directions"]
    data = load_h36m(*_write(tmp_path, poses, keypoints), subjects=["S11"])
    assert {r.action for r in data.recordings} == {"Directions 1"}


def test_videos_that_run_on_are_cut_to_the_poses(tmp_path: Path) -> None:
    long = np.arange(9 * 17 * 2, dtype=np.float32).reshape(9, 17, 2)
    poses = {"S9": {"Photo": _world(7)}}
    data = load_h36m(*_write(tmp_path, poses, {"S9": {"Photo": [long] * 4}}))
    assert len(data.recordings[0]) == 7
    np.testing.assert_array_equal(data.recordings[0].keypoints, long[:7])


def test_other_detectors_have_other_layouts(tmp_path: Path) -> None:
    poses = {"S9": {"Photo": _world(7)}}
    symmetry = [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]
    files = _write(
        tmp_path, poses, {"S9": {"Photo": [np.zeros((7, 16, 3), np.float32)] * 4}},
        layout_name="mpii", num_joints=16, keypoints_symmetry=symmetry,
    )  # fmt: skip
    data = load_h36m(*files)
    assert data.recordings[0].keypoints.shape == (7, 16, 2)  # a third column, scores, is no coordinate
    assert data.keypoint_skeleton is MPII16
    as_told = KeypointFile.load(files[1]).skeleton
    assert as_told.mirror[3] == 0
    assert as_told.mirror[6] == 6


@pytest.mark.parametrize(
    ("keypoints", "what"),
    [
        ({}, "no 2D keypoints of S9 'Photo'"),
        ({"S9": {"Photo": [np.zeros((7, 17, 2))] * 3}}, "expected 4 cameras, found 3"),
        ({"S9": {"Photo": [np.zeros((7, 17, 2))] * 3 + [None]}}, "a camera without keypoints"),
        ({"S9": {"Photo": [np.zeros((6, 17, 2))] * 4}}, "6 frames of 2D keypoints for 7 of 3D"),
        ({"S9": {"Photo": [np.zeros((7, 16, 2))] * 4}}, r"expected \(T, 17, 2\)"),
        ({"S9": {"Photo": [np.zeros((7, 17, 2), int)] * 4}}, "found int64"),
        ({"S9": [1, 2]}, "not a file of 2D keypoints"),
    ],
)
def test_keypoints_that_do_not_match_are_refused(tmp_path: Path, keypoints: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        load_h36m(*_write(tmp_path, {"S9": {"Photo": _world(7)}}, keypoints))


@pytest.mark.parametrize(
    ("poses", "what"),
    [
        ({"S9": {"Photo": _world(7)[:, :17]}}, r"expected \(T, 32, 3\)"),
        ({"S9": {"Photo": _world(7) * np.nan}}, "must be finite"),
        ({"S9": {"Photo": _world(0)}}, "expected 3D poses, found none"),
        ({"S2": {"Photo": _world(7)}}, "cameras of subject 'S2' are not known"),
        ({"S9": {}}, "no recordings"),
        ({"S9": 3}, "holds no actions"),
        (3, "no positions_3d"),
    ],
)
def test_poses_that_are_none_are_refused(tmp_path: Path, poses: Any, what: str) -> None:
    keypoints = {s: {"Photo": [np.zeros((7, 17, 2))] * 4} for s in ("S2", "S9")}
    with pytest.raises(InputError, match=what):
        load_h36m(*_write(tmp_path, poses, keypoints))


def test_the_ground_truth_keypoints_are_what_the_cameras_saw(tmp_path: Path) -> None:
    poses = {"S9": {"Photo": _world(7)}}
    project_all(poses).save(tmp_path / "gt.npz")
    file = KeypointFile.load(tmp_path / "gt.npz")
    assert file.skeleton == FILE_SKELETON
    views = file.views("S9", "Photo")
    for view, camera in zip(views, CAMERAS["S9"], strict=True):
        assert camera.lens is not None
        points = camera.extrinsics.to_camera(poses["S9"]["Photo"][:, JOINTS_OF_32])
        np.testing.assert_allclose(view, camera.lens.project(points), atol=1e-4)
        # The studio's four cameras look at its middle, where this figure stands, upright.
        assert ((view > 100) & (view < 900)).all()
        assert view[:, 10, 1].mean() < view[:, 3, 1].mean()


def test_subjects_files_call_two_actions_differently() -> None:
    assert canonical_action("TakingPhoto 1") == "Photo 1"
    assert canonical_action("WalkingDog") == "WalkDog"
    assert canonical_action("Walking 1") == "Walking 1"


def test_the_four_cameras_of_every_subject_surround_the_same_place() -> None:
    assert set(CAMERAS) == {*TRAIN_SUBJECTS, *TEST_SUBJECTS}
    for cameras in CAMERAS.values():
        # The point nearest to all four optical axes lies within the room, at a person's height.
        centres = np.array([c.extrinsics.position for c in cameras])
        axes = np.array([c.extrinsics.rotation[:, 2] for c in cameras])
        across = np.eye(3) - axes[:, :, None] * axes[:, None]
        middle = np.linalg.solve(across.sum(0), np.einsum("nij,nj->i", across, centres))
        assert np.abs(middle[:2]).max() < 1
        assert 0.3 < middle[2] < 1.5
        assert (np.abs(np.einsum("nij,nj->ni", across, middle - centres)) < 0.5).all()
        assert all(c.extrinsics.rotation[2, 1] < -0.9 for c in cameras)  # down is down
