from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError
from videopose.lifting.datasets.humaneva import (
    ACTIVITIES,
    CAMERAS,
    RATE,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    chunks,
    cut_clip,
    load_humaneva,
)
from videopose.skeleton import HUMANEVA15


def _world(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.4, (frames, 15, 3)).astype(np.float32)


def _poses() -> dict[str, dict[str, np.ndarray]]:
    return {
        "Train/S1": {
            "Walking 1 chunk0": _world(6), "Walking 1 chunk2": _world(5, 1), "Jog 1 chunk0": _world(4, 2)
        },
        "Validate/S2": {"Walking 1 chunk1": _world(7, 3), "Box 1 chunk0": _world(3, 4)},
    }  # fmt: skip


def _write(folder: Path, poses: Any = None, cameras: int = 3) -> tuple[Path, Path]:
    poses = _poses() if poses is None else poses
    keypoints = {
        s: {a: [np.full((len(w), 15, 2), 10.0 * c, np.float32) for c in range(cameras)] for a, w in v.items()}
        for s, v in poses.items()
    }
    metadata = {
        "layout_name": "humaneva15",
        "num_joints": 15,
        "keypoints_symmetry": [[2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]],
    }
    # The published file has recordings without poses too.
    keypoints["Unlabeled/S4"] = {"Walking 1": [np.zeros((5, 15, 2), np.float32)] * 3}
    np.savez_compressed(folder / "data_3d_humaneva15.npz", positions_3d=poses)
    np.savez_compressed(folder / "data_2d_humaneva15_gt.npz", positions_2d=keypoints, metadata=metadata)
    return folder / "data_3d_humaneva15.npz", folder / "data_2d_humaneva15_gt.npz"


def test_every_chunk_is_a_recording_of_its_own(tmp_path: Path) -> None:
    data = load_humaneva(*_write(tmp_path))
    assert data.rate == RATE == 60
    assert data.skeleton is HUMANEVA15
    assert data.keypoint_skeleton is HUMANEVA15
    assert [(r.subject, r.action, r.camera.name) for r in data.recordings] == [
        (s, a, c) for s, actions in _poses().items() for a in actions for c in ("C1", "C2", "C3")
    ]
    for r in data.recordings:
        world = _poses()[r.subject][r.action].astype(np.float64)
        w, x, y, z = r.camera.extrinsics.orientation
        turn = Rotation.from_quat([x, y, z, w]).inv()
        expected = turn.apply((world - r.camera.extrinsics.position).reshape(-1, 3)).reshape(world.shape)
        np.testing.assert_allclose(r.pose + r.root[:, None], expected, atol=1e-5)
        assert (r.pose[:, 0] == 0).all()
        assert (r.keypoints == 10 * ("C1", "C2", "C3").index(r.camera.name)).all()


def test_single_and_multi_action(tmp_path: Path) -> None:
    files = _write(tmp_path)
    single = load_humaneva(*files, activities=["Walking"])
    assert {r.activity for r in single.recordings} == {"Walking"}
    assert len(single) == 9
    assert {r.activity for r in load_humaneva(*files, activities=ACTIVITIES).recordings} == set(ACTIVITIES)
    assert {r.subject for r in load_humaneva(*files, subjects=["Validate/S2"]).recordings} == {"Validate/S2"}
    with pytest.raises(InputError, match="no subject 'Train/S2'"):
        load_humaneva(*files, subjects=TRAIN_SUBJECTS)
    with pytest.raises(InputError, match="no activity 'Gestures'"):
        load_humaneva(*files, activities=["Gestures"])


def test_a_clip_with_failed_frames_is_cut_there(tmp_path: Path) -> None:
    world = _world(10)
    world[3:5, 2] = np.nan
    data = load_humaneva(*_write(tmp_path, {"Train/S3": {"Box 1": world}}))
    assert len(data) == 6
    assert {(r.action, len(r)) for r in data.recordings} == {("Box 1 chunk0", 3), ("Box 1 chunk2", 5)}
    with pytest.raises(InputError, match="must be finite"):
        load_humaneva(*_write(tmp_path, {"Train/S3": {"Box 1": world * np.nan}}))


def test_files_that_do_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected 3 cameras, found 2"):
        load_humaneva(*_write(tmp_path, cameras=2))
    with pytest.raises(InputError, match="cameras of subject 'Train/S4' are not known"):
        load_humaneva(*_write(tmp_path, {"Train/S4": {"Box 1": _world(3)}}))
    with pytest.raises(InputError, match=r"expected \(T, 15, 3\)"):
        load_humaneva(*_write(tmp_path, {"Train/S1": {"Box 1": _world(3)[:, :14]}}))


def test_cutting_numbers_failed_spans_too() -> None:
    world, views = _world(9), np.random.default_rng(1).normal(size=(3, 9, 15, 2)).astype(np.float32)
    world[0, 0, 0] = np.nan
    views[1, 4:6, 3, 1] = np.inf
    cut = cut_clip("Walking 1", world, views)
    assert list(cut) == ["Walking 1 chunk1", "Walking 1 chunk3"]
    np.testing.assert_array_equal(cut["Walking 1 chunk1"][0], world[1:4])
    np.testing.assert_array_equal(cut["Walking 1 chunk3"][1], views[:, 6:])
    assert cut_clip("Box 1", world * np.nan, views) == {}
    assert chunks(np.ones(3, bool)) == [(0, 3, True)]
    assert chunks(np.zeros(0, bool)) == []


def test_the_cameras_stand_around_the_people_and_upright() -> None:
    assert {s.split("/")[1] for s in (*TRAIN_SUBJECTS, *TEST_SUBJECTS)} == set(CAMERAS)
    for cameras in CAMERAS.values():
        for camera in cameras:
            assert camera.extrinsics.rotation[2, 1] < -0.9
            assert 3 < camera.extrinsics.to_camera(np.array([0, 0, 1.0]))[2] < 6
