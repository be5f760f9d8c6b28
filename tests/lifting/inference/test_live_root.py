import numpy as np

from videopose.lifting.cameras.intrinsics import Intrinsics, project
from videopose.lifting.inference.live_root import LiveRoots
from videopose.skeleton import COCO17, H36M17

CAMERA = Intrinsics(1000, 1000, 640, 360)
LIMBS = [n for n in H36M17.names if n[0] in "lr"]


def seen(pose: np.ndarray, root: np.ndarray, noise: float = 0) -> np.ndarray:
    """COCO17 keypoints (P, 17, 3) of poses (P, 17, 3) at roots (P, 3)."""
    keypoints = np.zeros((len(pose), 17, 3), np.float32)
    pixels = project(pose + root[:, None], CAMERA)
    for name in LIMBS:
        place = COCO17.index(name.replace("foot", "ankle"))
        keypoints[:, place, :2] = pixels[:, H36M17.index(name)]
        keypoints[:, place, 2] = 0.9
    keypoints[..., :2] += np.random.default_rng(1).normal(0, noise, keypoints[..., :2].shape)
    return keypoints


def people(count: int = 2) -> np.ndarray:
    pose = np.random.default_rng(0).normal(0, 0.4, (count, 17, 3)).astype(np.float32)
    pose[:, 0] = 0
    return pose


def test_a_root_is_found_at_once_and_followed() -> None:
    pose, roots = people(), LiveRoots(2, CAMERA)
    for frame in range(60):
        root = np.array([[0.02 * frame, 0, 5], [-1, 0.3, 4 + 0.03 * frame]])
        found = roots.step(pose, seen(pose, root), np.full(2, frame == 0), 1 / 30)
        np.testing.assert_allclose(found, root, atol=0.03)


def test_noise_is_smoothed() -> None:
    pose, roots = people(1), LiveRoots(1, CAMERA)
    root, random = np.array([[0.0, 0, 6]]), np.random.default_rng(3)
    found, single = [], []
    for frame in range(90):
        noisy = (pose + random.normal(0, 0.03, pose.shape)).astype(np.float32)
        keypoints = seen(pose, root)
        found.append(roots.step(noisy, keypoints, np.array([frame == 0]), 1 / 30)[0])
        single.append(LiveRoots(1, CAMERA).step(noisy, keypoints, np.array([True]), 1 / 30)[0])
    assert np.std(np.diff(found, axis=0)[30:, 2]) < 0.5 * np.std(np.diff(single, axis=0)[30:, 2])


def test_a_root_that_cannot_be_known_is_nan_and_comes_back() -> None:
    pose, roots = people(1), LiveRoots(1, CAMERA)
    root = np.array([[0.5, 0, 5.0]])
    keypoints = seen(pose, root)
    hidden = keypoints.copy()
    hidden[..., 2] = 0.1
    begin = np.array([True])
    assert np.isfinite(roots.step(pose, keypoints, begin, 1 / 30)).all()
    assert np.isnan(roots.step(pose, hidden, ~begin, 1 / 30)).all()
    np.testing.assert_allclose(roots.step(pose, keypoints, ~begin, 1 / 30), root, atol=0.03)


def test_another_person_at_the_same_place() -> None:
    pose, roots = people(1), LiveRoots(1, CAMERA)
    begin = np.array([True])
    roots.step(pose, seen(pose, np.array([[0.0, 0, 5]])), begin, 1 / 30)
    far = np.array([[2.0, 0.5, 11]])
    np.testing.assert_allclose(roots.step(pose, seen(pose, far), begin, 1 / 30), far, atol=0.05)


def test_one_wrong_keypoint_hardly_moves_it() -> None:
    pose, roots = people(1), LiveRoots(1, CAMERA)
    root = np.array([[0.0, 0, 5]])
    for frame in range(10):
        roots.step(pose, seen(pose, root), np.array([frame == 0]), 1 / 30)
    keypoints = seen(pose, root)
    keypoints[0, COCO17.index("lwrist"), :2] += 300
    np.testing.assert_allclose(roots.step(pose, keypoints, np.array([False]), 1 / 30), root, atol=0.05)
