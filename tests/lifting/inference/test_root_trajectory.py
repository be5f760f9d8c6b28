import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.input_space import InputSpace
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.root_trajectory import fit_root
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, H36M17

SIZE = (1280, 720)
CAMERA = Intrinsics(1200, 1210, 660, 350)
FRAMES = 60
TIMES = np.arange(FRAMES) / 30
WALK = np.array([-0.5, 0.2, 4.0]) + TIMES[:, None] * [0.6, 0.05, 0.5]
Array = NDArray[np.float64]


def _pose() -> Array:
    """A body that moves its limbs: (60, 17, 3) metres, root at 0."""
    random = np.random.default_rng(0)
    still, swing = random.normal(0, 0.35, (17, 3)), random.normal(0, 0.1, (17, 3))
    pose = still + np.sin(np.arange(FRAMES) / 8)[:, None, None] * swing
    return pose - pose[:, :1]


POSE = _pose()


def _keypoints(pose: Array, root: Array, noise: float = 0.0) -> NDArray[np.float32]:
    """COCO17 keypoints of the limbs; the face, which the two layouts do not share, is nonsense."""
    placed = pose + root[:, None]
    pixels = placed[..., :2] / placed[..., 2:] * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
    keypoints = np.full((len(pose), 17, 3), 0.9)
    for joint, name in enumerate(H36M17.names):
        if name[0] in "lr":
            keypoints[:, COCO17.index(name.replace("foot", "ankle")), :2] = pixels[:, joint]
    keypoints[..., :2] += np.random.default_rng(1).normal(0, 1, keypoints[..., :2].shape) * noise
    return keypoints.astype(np.float32)


def _fit(keypoints: NDArray[np.float32], pose: Array = POSE, times: Array = TIMES) -> NDArray[np.float32]:
    root = fit_root(pose.astype(np.float32), keypoints, times, CAMERA)
    assert root.shape == (len(pose), 3)
    assert root.dtype == np.float32
    return root


def _error(root: NDArray[np.float32], truth: Array = WALK) -> Array:
    return np.linalg.norm(root - truth, axis=1)


def test_a_steady_walk_is_found_to_the_millimetre() -> None:
    assert _error(_fit(_keypoints(POSE, WALK))).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_short_tracks(frames: int) -> None:
    root = _fit(_keypoints(POSE, WALK)[:frames], POSE[:frames], TIMES[:frames])
    assert _error(root, WALK[:frames]).max() < 1e-3


def test_no_frames() -> None:
    assert _fit(_keypoints(POSE, WALK)[:0], POSE[:0], TIMES[:0]).shape == (0, 3)


def test_noise_is_smoothed() -> None:
    # Measured: at most 11 mm for 4 px of keypoint noise (13 mm at this distance), 52 mm with 30 mm more on
    # every joint of the pose.
    noisy = _keypoints(POSE, WALK, 4)
    assert _error(_fit(noisy)).max() < 0.02
    poor = POSE + np.random.default_rng(2).normal(0, 0.03, POSE.shape)
    together = _error(_fit(noisy, poor))
    assert together.max() < 0.1
    alone = np.concatenate([_fit(noisy[t : t + 1], poor[t : t + 1], TIMES[:1]) for t in range(FRAMES)])
    assert together.mean() < 0.5 * _error(alone).mean()


def test_a_turning_person_is_followed() -> None:
    root = np.array([0, 0.2, 5]) + 0.4 * np.stack([np.sin(2 * TIMES), 0 * TIMES, np.cos(2 * TIMES)], 1)
    # Smoothing straightens its path a little. Measured: at most 30 mm, at the ends, and 6 mm on average.
    error = _error(_fit(_keypoints(POSE, root)), root)
    assert error.max() < 0.05
    assert error.mean() < 0.01


@pytest.mark.parametrize("offset", [50, 300, 3000])
def test_outlying_joints_do_not_matter(offset: float) -> None:
    keypoints = _keypoints(POSE, WALK)
    keypoints[:, COCO17.index("lwrist"), 0] += offset  # all the time
    keypoints[10:25, COCO17.index("rankle"), 1] -= offset  # for half a second
    assert _error(_fit(keypoints)).max() < 0.01


def test_joints_of_no_score_do_not_matter() -> None:
    keypoints = _keypoints(POSE, WALK)
    for name in ("lwrist", "rwrist", "lankle", "rankle", "lknee", "rknee"):
        keypoints[:, COCO17.index(name)] = (1e4, -1e4, 0)
    assert _error(_fit(keypoints)).max() < 1e-3


def test_the_face_is_not_looked_at() -> None:
    keypoints = _keypoints(POSE, WALK)
    changed = keypoints.copy()
    changed[:, :5] = np.nan
    np.testing.assert_array_equal(_fit(changed), _fit(keypoints))


@pytest.mark.parametrize("score", [0, 0.1, -1])
def test_nothing_trusted_nothing_told(score: float) -> None:
    keypoints = _keypoints(POSE, WALK)
    keypoints[..., 2] = score
    assert np.isnan(_fit(keypoints)).all()


def test_frames_without_trust_are_not_told_and_do_not_harm() -> None:
    keypoints = _keypoints(POSE, WALK)
    keypoints[25:30, :, :2] = 0
    keypoints[25:30, :, 2] = 0
    root = _fit(keypoints)
    assert np.flatnonzero(np.isnan(root).any(1)).tolist() == [25, 26, 27, 28, 29]
    assert np.nanmax(_error(root)) < 1e-3


def test_three_joints_are_too_few() -> None:
    keypoints = _keypoints(POSE, WALK)
    keypoints[7, 5:, 2] = 0
    keypoints[7, [5, 6, 11], 2] = 1
    keypoints[9, 5:, 2] = 0
    keypoints[9, [5, 6, 11, 12], 2] = 1
    assert np.flatnonzero(np.isnan(_fit(keypoints)).any(1)).tolist() == [7]


@pytest.mark.parametrize("fps", [10, 30, 240])
@pytest.mark.parametrize("frames", [2, 3, 10, 60])
@pytest.mark.parametrize("trusted", [1, 2])
def test_a_single_trusted_frame_or_two_are_told(frames: int, fps: float, trusted: int) -> None:
    keypoints = _keypoints(POSE, WALK)[:frames]
    keypoints[trusted:, :, 2] = 0
    root = _fit(keypoints, POSE[:frames], np.arange(frames) / fps)
    assert _error(root[:trusted], WALK[:trusted]).max() < 2e-3
    assert np.isnan(root[trusted:]).all()


def test_people_behind_the_camera_or_nowhere_are_not_told() -> None:
    behind = _keypoints(POSE, WALK)
    behind[..., :2] = 2 * np.array([CAMERA.cx, CAMERA.cy]) - behind[..., :2]  # as if seen through the back
    assert np.isnan(_fit(behind)).all()
    a_point = _keypoints(POSE, WALK)
    a_point[..., :2] = CAMERA.cx
    assert np.isnan(_fit(a_point)).all()


def test_uneven_and_repeated_time_stamps() -> None:
    times = np.cumsum(np.random.default_rng(3).uniform(0.005, 0.065, FRAMES))
    times[20] = times[19]
    walk = WALK[0] + times[:, None] * [0.6, 0.05, 0.5]
    # Measured: 1 mm beside the repeated one, which has to count as a little later, else 0.1 mm.
    assert _error(_fit(_keypoints(POSE, walk), times=times), walk).max() < 5e-3
    assert np.isfinite(_fit(_keypoints(POSE, WALK), times=np.zeros(FRAMES))).all()


def test_a_pause_of_the_camera_does_not_bend_the_path() -> None:
    times = TIMES + np.where(np.arange(FRAMES) < 30, 0, 1.5)
    walk = WALK[0] + times[:, None] * [0.6, 0.05, 0.5]
    noisy = _fit(_keypoints(POSE, walk, 4), times=times)
    assert _error(noisy, walk).max() < 0.03


def test_where_a_trajectory_model_puts_the_root_is_refined() -> None:
    keypoints, pose = _keypoints(POSE, WALK), POSE.astype(np.float32)
    wrong = (WALK * 1.1).astype(np.float32)
    refined = fit_root(pose, keypoints, TIMES, CAMERA, prior=wrong)
    assert _error(refined).max() < 0.1 * _error(wrong).min()
    # A person seen from so far away that the keypoints hardly tell how far: the model's word counts.
    far = WALK * 30
    distant, noise = _keypoints(POSE, far, 1), np.random.default_rng(5)
    prior = (far * (1 + 0.02 * noise.normal(size=(FRAMES, 1)))).astype(np.float32)
    assert (
        _error(fit_root(pose, distant, TIMES, CAMERA, prior=prior), far).mean()
        < _error(fit_root(pose, distant, TIMES, CAMERA), far).mean()
    )


@pytest.mark.parametrize("scale", [0, -1, 0.1, 4])
def test_an_absurd_word_of_the_model_is_not_believed(scale: float) -> None:
    keypoints, pose = _keypoints(POSE, WALK), POSE.astype(np.float32)
    root = fit_root(pose, keypoints, TIMES, CAMERA, prior=(WALK * scale).astype(np.float32))
    assert _error(root).max() < 0.02


def test_a_prior_tells_nothing_of_frames_without_keypoints() -> None:
    keypoints = _keypoints(POSE, WALK)
    keypoints[25:30, :, 2] = 0
    root = fit_root(POSE.astype(np.float32), keypoints, TIMES, CAMERA, prior=WALK.astype(np.float32))
    assert np.flatnonzero(np.isnan(root).any(1)).tolist() == [25, 26, 27, 28, 29]


def _lifter(space: InputSpace, trajectory: bool = True, rate: float | None = None) -> Lifter:
    torch.manual_seed(0)
    shape = {"filter_widths": (3, 3), "channels": 8}
    root = TemporalModel(**shape, num_joints_out=1).eval() if trajectory else None
    return Lifter(TemporalModel(**shape).eval(), "h36m17", space, rate, root)


def _predicted(
    lifter: Lifter, keypoints: NDArray[np.float32], camera: Intrinsics = CAMERA, size: tuple[int, int] = SIZE
) -> NDArray[np.float32] | None:
    return lifter.lift_track(keypoints, TIMES, lens=Lens(camera), size=size).predicted_root


def test_a_lifter_without_a_trajectory_model_predicts_no_root() -> None:
    keypoints = _keypoints(POSE, WALK)
    lifter = _lifter("rays", trajectory=False)
    assert _predicted(lifter, keypoints) is None


@pytest.mark.parametrize("space", ["centred", "rays", "screen"])
def test_a_mirrored_person_is_where_the_mirror_shows_him(space: InputSpace) -> None:
    camera, keypoints = Intrinsics(1200, 1200, 640, 360), _keypoints(POSE, WALK)
    mirrored = keypoints[:, list(COCO17.mirror)] * np.float32([-1, 1, 1]) + np.float32([1280, 0, 0])
    there, here = (_predicted(_lifter(space), points, camera) for points in (mirrored, keypoints))
    assert there is not None
    assert here is not None
    assert here.shape == (FRAMES, 3)
    np.testing.assert_allclose(there, here * [-1, 1, 1], atol=1e-5)


def test_a_centred_lifter_answers_along_the_ray_of_the_hip() -> None:
    """One whose trajectory model says "four metres straight ahead" puts the hip there where it is seen."""
    lifter = _lifter("centred")
    assert lifter.trajectory is not None
    with torch.no_grad():
        lifter.trajectory.shrink.weight.zero_()
        lifter.trajectory.shrink.bias[:] = torch.tensor([0.0, 0.0, 4.0])
    root = _predicted(lifter, _keypoints(POSE, WALK))
    assert root is not None
    np.testing.assert_allclose(np.linalg.norm(root, axis=1), 4, rtol=1e-5)
    hips = _keypoints(POSE, WALK)[:, [COCO17.index("lhip"), COCO17.index("rhip")], :2].mean(1)
    seen = root[:, :2] / root[:, 2:] * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
    np.testing.assert_allclose(seen, hips, atol=1e-2)


def test_screen_coordinates_are_read_by_the_cameras_own_focal_length() -> None:
    keypoints = _keypoints(POSE, WALK)
    near, far = (_predicted(_lifter("screen"), keypoints, Intrinsics(f, f, 640, 360)) for f in (800, 1600))
    assert near is not None
    assert far is not None
    np.testing.assert_allclose(far, near * [1, 1, 2], rtol=1e-5)


def test_a_slow_video_is_read_at_the_lifters_rate() -> None:
    root = _predicted(_lifter("rays", rate=120), _keypoints(POSE, WALK), size=(9, 9))
    assert root is not None
    assert root.shape == (FRAMES, 3)


def test_poses_that_were_not_lifted_are_not_told() -> None:
    pose = np.full_like(POSE, np.nan)
    assert np.isnan(_fit(_keypoints(POSE, WALK), pose)).all()


def test_the_arguments_are_left_alone() -> None:
    pose, keypoints = POSE.astype(np.float32), _keypoints(POSE, WALK)
    before = pose.copy(), keypoints.copy()
    fit_root(pose, keypoints, TIMES, CAMERA)
    np.testing.assert_array_equal(pose, before[0])
    np.testing.assert_array_equal(keypoints, before[1])
