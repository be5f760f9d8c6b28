import numpy as np
import pytest

from videopose.lifting.simulation.rare_postures.inverse_kinematics import two_bones, unit


def test_a_target_within_reach_is_met_with_bones_of_the_right_length() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(200, 3))
    target = root + unit(rng.normal(size=(200, 3))) * rng.uniform(0.25, 0.75, (200, 1))
    pole = rng.normal(size=(200, 3))
    middle, end = two_bones(root, target, pole, (0.4, 0.45))
    np.testing.assert_allclose(end, target, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(middle - root, axis=1), 0.4, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(end - middle, axis=1), 0.45, atol=1e-9)
    along = unit(end - root)
    offset = middle - root - ((middle - root) * along).sum(1, keepdims=True) * along
    assert ((offset * pole).sum(1) > 0).all()
    # In the plane of the pole: nothing across it.
    assert np.abs((offset * np.cross(along, pole)).sum(1)).max() < 1e-9


@pytest.mark.parametrize(("distance", "angle"), [(3.0, 0.1), (0.01, 2.5)])
def test_a_target_out_of_reach_is_followed_in_direction(distance: float, angle: float) -> None:
    target = np.array([[0.0, 0.0, -distance]])
    middle, end = two_bones(np.zeros((1, 3)), target, np.array([[1.0, 0, 0]]), (0.4, 0.4), flexion=(0.1, 2.5))
    np.testing.assert_allclose(unit(end), [[0, 0, -1]], atol=1e-9)
    cosine = (unit(middle) * unit(end - middle)).sum()
    assert np.arccos(cosine) == pytest.approx(angle, abs=0.06)


def test_the_middle_joint_does_not_jerk_as_the_limb_is_stretched() -> None:
    target = np.zeros((200, 3))
    target[:, 2] = -np.linspace(0.7, 0.9, 200)  # through full reach at a metre a second, 1000 frames a second
    middle, _ = two_bones(np.zeros((200, 3)), target, np.array([1.0, 0, 0]), (0.4, 0.4))
    assert np.linalg.norm(np.diff(middle, axis=0), axis=1).max() < 0.005
