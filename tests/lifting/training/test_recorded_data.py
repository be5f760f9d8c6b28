from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.errors import InputError, UsageError
from videopose.lifting.datasets.config import RecordingsConfig
from videopose.lifting.datasets.human36m import FILE_SKELETON
from videopose.lifting.datasets.recordings import RecordingSet
from videopose.lifting.training.recorded_data import find_dataset, load_recordings, thin
from videopose.skeleton import COCO17, H36M17, HUMANEVA15, Skeleton

H36M_CLIPS = {
    "S1": {"Walking": 40, "Eating 1": 31},
    "S5": {"Walking 1": 25},
    "S9": {"Walking": 20},
    "S11": {"Eating": 10, "Walking": 12},
}
HUMANEVA_CLIPS = {
    "Train/S1": {"Walking 1 chunk0": 30, "Gestures 1 chunk0": 9},
    "Train/S2": {"Box 1 chunk1": 12},
    "Train/S3": {"Jog 1 chunk0": 12},
    "Validate/S1": {"Walking 1 chunk0": 15},
    "Validate/S2": {"Jog 1 chunk0": 8},
    "Validate/S3": {"Box 1 chunk2": 8},
}


def _write(
    folder: Path, name: str, clips: Any, joints: int, cameras: int, layout: Any, detector: str
) -> None:
    rng = np.random.default_rng(0)
    poses = {s: {a: rng.normal(size=(n, joints, 3)) for a, n in v.items()} for s, v in clips.items()}
    keypoints = {
        s: {
            a: [np.broadcast_to(np.arange(float(n))[:, None, None], (n, len(layout), 2)).copy()] * cameras
            for a, n in v.items()
        }
        for s, v in clips.items()
    }
    metadata = {
        "layout_name": layout.name,
        "num_joints": len(layout),
        "keypoints_symmetry": [list(layout.left), list(layout.right)],
    }
    np.savez(folder / f"data_3d_{name}.npz", positions_3d=poses)
    np.savez(folder / f"data_2d_{name}_{detector}.npz", positions_2d=keypoints, metadata=metadata)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path, "h36m", H36M_CLIPS, 32, 4, FILE_SKELETON, "gt")
    coco = Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)
    _write(tmp_path, "humaneva15", HUMANEVA_CLIPS, 15, 3, coco, "detectron_pt_coco")
    return tmp_path


def _config(**values: Any) -> RecordingsConfig:
    return RecordingsConfig.model_validate({"data_set": "h36m", "train_subjects": ["S1", "S5"]} | values)


def _clips(data: RecordingSet | None) -> set[tuple[str, str, int]]:
    assert data is not None
    return {(r.subject, r.action, len(r)) for r in data.recordings}


def test_human36m(folder: Path) -> None:
    train, test = load_recordings(_config(), folder)
    assert _clips(train) == {("S1", "Walking", 40), ("S1", "Eating 1", 31), ("S5", "Walking 1", 25)}
    assert _clips(test) == {("S9", "Walking", 20), ("S11", "Eating", 10), ("S11", "Walking", 12)}
    assert len(train) == 12
    assert (train.rate, train.skeleton, train.keypoint_skeleton) == (50, H36M17, H36M17)


def test_the_usual_subjects_unless_others_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match="no subject 'S6'"):  # whom this small file lacks
        load_recordings(RecordingsConfig(data_set="h36m"), folder)
    train, test = load_recordings(_config(train_subjects=["S11"], test_subjects=["S1"]), folder)
    assert {r.subject for r in train.recordings} == {"S11"}
    assert test is not None
    assert {r.subject for r in test.recordings} == {"S1"}
    assert load_recordings(_config(test_subjects=[]), folder)[1] is None


def test_humaneva_s_detections_and_actions(folder: Path) -> None:
    values = {"data_set": "humaneva", "train_subjects": None, "keypoints": "detectron_pt_coco"}
    train, test = load_recordings(_config(**values), folder)
    assert {r.activity for r in train.recordings} == {"Walking", "Jog", "Box"}
    assert (train.rate, train.skeleton, train.keypoint_skeleton) == (60, HUMANEVA15, COCO17)
    train, test = load_recordings(_config(activities=["Walking"], **values), folder)
    assert _clips(train) == {("Train/S1", "Walking 1 chunk0", 30)}
    assert _clips(test) == {("Validate/S1", "Walking 1 chunk0", 15)}


def test_a_part_of_the_frames(folder: Path) -> None:
    train, test = load_recordings(_config(downsample=5, subset=0.5, activities=["Walking"]), folder)
    assert _clips(train) == {("S1", "Walking", 4), ("S5", "Walking 1", 2)}  # 8 and 5 frames, halved
    assert _clips(test) == {("S9", "Walking", 4), ("S11", "Walking", 3)}  # every fifth, all through
    assert train.rate == 10
    for recording in train.recordings:
        seen = recording.keypoints[:, 0, 0]
        np.testing.assert_array_equal(np.diff(seen), 5)  # an unbroken span
        assert len(recording.pose) == len(recording.root) == len(seen)
    starts = {(r.subject, r.action): r.keypoints[0, 0, 0] for r in train.recordings}
    # Where VideoPose3D begins in clips of 40 and of 25 frames.
    assert starts == {("S1", "Walking"): 17, ("S5", "Walking 1"): 7}


def test_recordings_too_short_for_the_part_are_left_out(folder: Path) -> None:
    whole = load_recordings(_config(), folder)[0]
    assert {len(r) for r in thin(whole, subset=0.015).recordings} == {1}
    assert len(thin(whole, subset=0.015)) == 4  # of 40 frames; 31 and 25 round to none
    with pytest.raises(UsageError, match=r"recordings\.subset: nothing is left"):
        thin(whole, subset=0.001)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ({"data_set": "amass"}, UsageError, "no 'amass'; there is h36m, humaneva"),
        ({"test_subjects": ["S5"]}, UsageError, "S5 cannot be both trained and tested on"),
        ({"keypoints": "cpn"}, InputError, r"data_2d_h36m_cpn\.npz: no such file; .* DATASETS"),
        ({"data_set": "humaneva"}, InputError, "_gt.npz: no such file; `videopose prepare humaneva`"),
        ({"activities": ["Jog"]}, InputError, "no activity 'Jog'"),
        ({"train_subjects": ["S5"], "activities": ["Eating"]}, UsageError, "activities: none of S5"),
    ],
    ids=str,
)
def test_what_cannot_be_read(folder: Path, values: Any, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        load_recordings(_config(**values), folder)


def test_missing_poses_say_which_command_makes_them(tmp_path: Path) -> None:
    for name, command in (("h36m", "h36m"), ("humaneva", "humaneva")):
        with pytest.raises(InputError, match=rf"data_3d_{name}.*no such file; `videopose prepare {command}`"):
            load_recordings(_config(data_set=name), tmp_path)


def test_licences_are_said() -> None:
    assert "does not allow commercial use" in find_dataset(_config()).licence
