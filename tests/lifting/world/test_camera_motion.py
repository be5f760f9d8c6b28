import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.lifting.world.camera_motion import Edge, fill_in, fit_turn, join_turns


def _rays(count, seed=0):
    rays = np.random.default_rng(seed).normal(0, 0.3, (count, 3)) + np.array([0, 0, 1])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _angle(a, b):
    return np.degrees(Rotation.from_matrix(a.T @ b).magnitude())


@pytest.mark.parametrize("degrees", [0, 0.1, 5, 40])
def test_a_turn_among_outliers(degrees: float) -> None:
    turn = Rotation.from_euler("yxz", [degrees, -degrees / 2, degrees / 3], degrees=True).as_matrix()
    second = _rays(100)
    first = second @ turn.T + np.random.default_rng(1).normal(0, 1e-3, (100, 3))
    first[:40] = _rays(40, seed=2)
    found = fit_turn(first, second, error=1e-3)
    assert found is not None
    assert _angle(found.rotation, turn) < 0.05
    assert found.agreeing == pytest.approx(0.6, abs=0.05)
    assert found.matches == 100
    assert np.linalg.det(found.rotation) == pytest.approx(1)


def test_people_who_walk_with_the_camera_are_outvoted_from_a_bad_guess() -> None:
    turn = Rotation.from_euler("y", 10, degrees=True).as_matrix()
    second = _rays(100)
    first = second @ turn.T
    first[:35] = second[:35]
    found = fit_turn(first, second, error=1e-3, guess=np.eye(3))
    assert found is not None
    assert _angle(found.rotation, turn) < 0.01


def test_too_few_matches_and_matches_that_contradict_each_other() -> None:
    assert fit_turn(_rays(5), _rays(5), error=1e-3) is None
    unlike = fit_turn(_rays(50), _rays(50, seed=3), error=1e-4)
    assert unlike is None or unlike.agreeing < 0.3


def test_background_that_comes_back_takes_drift_away() -> None:
    count = 20
    truth = Rotation.from_euler(
        "y", np.abs(np.linspace(-40, 40, count))[:, None] * -1, degrees=True
    ).as_matrix()
    truth = truth[0].T @ truth
    drift = Rotation.from_euler("y", 0.3, degrees=True).as_matrix()
    chain = [Edge(i, i + 1, truth[i].T @ truth[i + 1] @ drift) for i in range(count - 1)]
    alone = join_turns(count, chain)
    assert _angle(alone[-1], truth[-1]) == pytest.approx(0.3 * (count - 1), abs=0.01)
    closed = join_turns(count, [*chain, Edge(0, count - 1, truth[-1], 10.0)])
    assert _angle(closed[-1], truth[-1]) < 0.1
    assert max(_angle(a, b) for a, b in zip(closed, truth, strict=True)) < 0.5
    assert closed[0] == pytest.approx(np.eye(3), abs=1e-5)


def test_few_keyframes() -> None:
    np.testing.assert_array_equal(join_turns(1, []), np.eye(3)[None])
    turn = Rotation.from_euler("x", 5, degrees=True).as_matrix()
    np.testing.assert_allclose(join_turns(2, [Edge(0, 1, turn)])[1], turn, atol=1e-6)


def test_frames_between_measured_ones_turn_evenly() -> None:
    angles = np.array([0, 3, 6, 9, 12, 15])
    truth = Rotation.from_euler("y", angles[:, None], degrees=True).as_matrix()
    measured = np.array([False, True, False, False, True, False])
    filled = fill_in(np.where(measured[:, None, None], truth, 0), measured)
    np.testing.assert_allclose(filled[1:5], truth[1:5], atol=1e-9)
    np.testing.assert_allclose(filled[[0, 5]], truth[[1, 4]], atol=1e-9)
    np.testing.assert_array_equal(fill_in(truth, np.zeros(6, bool)), np.tile(np.eye(3), (6, 1, 1)))
