from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from standing import STILL
from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.intrinsics import project
from videopose.lifting.datasets.config import RecordingsConfig
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.studio import CAMERAS, DETECTOR, ROOM, TEST_SUBJECTS, film, read_studio
from videopose.lifting.training.recorded_data import load_recordings
from videopose.skeleton import H36M17


def _walk(frames: int, speed: float) -> NDArray[np.float32]:
    """(T, 19, 3): a person who swings arms and legs, goes along x, metres a second, and floats."""
    seconds = np.arange(frames)[:, None] / 50
    swing = np.zeros((frames, 19))
    for joint, size in ((2, 0.15), (3, 0.35), (5, -0.15), (6, -0.35), (13, 0.3), (16, -0.3)):
        swing[:, joint] = size
    positions = np.broadcast_to(STILL, (frames, 19, 3)).copy()
    positions[..., 0] += swing * np.sin(2 * np.pi * seconds) + speed * seconds
    positions[..., 2] += 0.4
    return positions.astype(np.float32)


def _table(subjects: tuple[str, ...], clips: list[NDArray[np.float32]]) -> MotionCapture:
    return MotionCapture(
        np.concatenate(clips),
        np.array([len(c) for c in clips]),
        50.0,
        tuple(f"clip {i}" for i in range(len(clips))),
        subjects,
        tuple("walk fast" if i % 2 else "stand" for i in range(len(clips))),
        ("made",) * len(clips),
    )


@pytest.fixture
def table() -> MotionCapture:
    return _table(("01", "02", "?"), [_walk(200, 0), _walk(600, 1.5), _walk(60, 0.5)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    people = ("01", "03", "?", *TEST_SUBJECTS)
    _table(people, [_walk(40 + 10 * i, i / 4) for i in range(len(people))]).save(tmp_path / "cmu.npz")
    return tmp_path


def test_cameras_are_like_human36ms() -> None:
    assert len(CAMERAS) == 4
    for camera in CAMERAS:
        assert camera.size == (1000, 1000)
        assert camera.lens is not None
        assert camera.lens.intrinsics.fx * 2 / 1000 == pytest.approx(2.29)
        place = np.array(camera.extrinsics.position)
        assert np.hypot(*place[:2]) == pytest.approx(5, abs=0.1)
        assert place[2] == pytest.approx(1.6)
        # the room's middle is straight ahead, and up is up
        middle = camera.extrinsics.to_camera(np.array([[0, 0, 0.9], [0, 0, 1.9]]))
        assert middle[0] == pytest.approx([0, 0, np.linalg.norm(place - (0, 0, 0.9))], abs=1e-5)
        assert middle[1, 1] < -0.9
        assert middle[1, 0] == pytest.approx(0, abs=1e-5)


def test_everybody_is_in_the_picture_and_in_the_room(table: MotionCapture) -> None:
    data = film(table, detections=None)
    assert (data.skeleton, data.keypoint_skeleton.name, data.rate) == (H36M17, "h36m17", 50.0)
    assert len(data) > 3 * 4  # whoever walks on through the wall makes several takes
    assert sum(len(r) for r in data.recordings) == pytest.approx(4 * 860, abs=4 * 25)
    for recording in data.recordings:
        assert len(recording) >= 25
        assert (recording.root[:, 2] > 3).all()
        assert ((recording.keypoints > 0) & (recording.keypoints < 1000)).all()
        camera = recording.camera.extrinsics
        world = (recording.pose + recording.root[:, None]) @ camera.rotation.T + camera.position
        assert (np.hypot(*world[:, 0, :2].T) < ROOM + 0.01).all()
        assert world[..., 2].min() == pytest.approx(0.07, abs=0.01)  # feet on the floor
        assert (recording.pose[:, 0] == 0).all()


def test_perfect_keypoints_are_projections(table: MotionCapture) -> None:
    for recording in film(table, detections=None, clips=[1]).recordings:
        assert recording.camera.lens is not None
        seen = project(recording.pose + recording.root[:, None], recording.camera.lens.intrinsics)
        exact = [H36M17.index(n) for n in "rhip lhip rknee lfoot lshoulder relbow rwrist".split()]
        np.testing.assert_allclose(recording.keypoints[:, exact], seen[:, exact], atol=0.01)


def test_a_seed_decides_everything_and_clips_do_not_depend_on_each_other(table: MotionCapture) -> None:
    whole, again, other = (film(table, detections=DETECTOR, seed=seed) for seed in (3, 3, 4))
    alone = film(table, detections=DETECTOR, seed=3, clips=[2])
    for a, b in zip(whole.recordings, again.recordings, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
    np.testing.assert_array_equal(whole.recordings[-1].keypoints, alone.recordings[-1].keypoints)
    assert np.abs(whole.recordings[0].pose - other.recordings[0].pose).max() > 0.1


def test_detections_err_as_configured(table: MotionCapture) -> None:
    def error(**changes: object) -> NDArray[np.float32]:
        """Pixels: (frames, 17, 2)."""
        seen = film(table, detections=DETECTOR.model_copy(update=changes))
        pairs = zip(seen.recordings, true.recordings, strict=True)
        return np.concatenate([a.keypoints - b.keypoints for a, b in pairs])

    true = film(table, detections=None)
    for a, b in zip(film(table, detections=DETECTOR).recordings, true.recordings, strict=True):
        np.testing.assert_array_equal(a.pose, b.pose)  # the same takes
    calm = {"drift": (1e-9, 1e-9), "bias": 0.0, "hidden": 0.0, "outliers": 0.0, "episodes": 0.0}
    # 10 mm about 4.9 m away are 2.3 pixels; an elbow is as uncertain as is configured, a wrist a tenth more
    white = error(**calm, jitter=(0.01, 0.01))
    assert white[:, H36M17.index("lelbow")].std() == pytest.approx(2.3, rel=0.15)
    assert white[:, H36M17.index("lwrist")].std() == pytest.approx(1.1 * 2.3, rel=0.15)
    assert np.abs(np.diff(white, axis=0)).mean() > 1
    whole = np.linalg.norm(error(), axis=-1)
    assert 8 < whole.mean() < 16


def test_held_out_people_never_train(folder: Path) -> None:
    config = RecordingsConfig(data_set="studio", keypoints="simulated")
    train, test = load_recordings(config, folder)
    assert test is not None
    assert {r.subject for r in train.recordings} == {"01", "03"}
    assert {r.subject for r in test.recordings} == set(TEST_SUBJECTS)
    train, test = read_studio(config.model_copy(update={"test_subjects": ("01",)}), folder)
    assert test is not None
    assert "01" not in {r.subject for r in train.recordings}
    assert {r.subject for r in test.recordings} == {"01"}
    nobody = read_studio(config.model_copy(update={"test_subjects": (), "activities": ("walk",)}), folder)
    assert nobody[1] is None
    assert {r.activity for r in nobody[0].recordings} == {"walk"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keypoints": "cpn"}, "simulated and gt"),
        ({"train_subjects": ("01", "02")}, "02 cannot be both"),
        ({"train_subjects": ("77",)}, "no person called 77"),
        ({"activities": ("swim",)}, "activities"),
    ],
)
def test_wrong_settings_are_told(folder: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_studio(RecordingsConfig(**{"data_set": "studio", "keypoints": "gt"} | changes), folder)


def test_a_folder_needs_one_table(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    config = RecordingsConfig(data_set="studio")
    with pytest.raises(InputError, match="0 motion-capture tables"):
        read_studio(config, tmp_path_factory.mktemp("empty"))
    (folder / "cmu2.npz").write_bytes((folder / "cmu.npz").read_bytes())
    with pytest.raises(InputError, match="2 motion-capture tables"):
        read_studio(config, folder)


def test_clips_too_short_to_film() -> None:
    with pytest.raises(ValueError, match="long enough"):
        film(_table(("01",), [_walk(20, 0)]), detections=None)
