import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from videopose.lifting.evaluation.metrics import mpjpe, mpjve, n_mpjpe, p_mpjpe, procrustes

Poses = NDArray[np.float64]


def _pair(seed: int = 0, joints: int = 17) -> tuple[Poses, Poses]:
    random = np.random.default_rng(seed)
    target = random.normal(0, 0.4, (joints, 3))
    return target + random.normal(0, 0.1, target.shape), target


def _aligned_by_scipy(predicted: Poses, target: Poses) -> Poses:
    p, t = predicted - predicted.mean(0), target - target.mean(0)
    turned = Rotation.align_vectors(t, p)[0].apply(p)
    return (turned * t).sum() / (p**2).sum() * turned + target.mean(0)


def test_mpjpe_by_hand() -> None:
    target = np.zeros((2, 2, 3))
    predicted = np.array([[[3, 4, 0], [0, 0, 1]], [[0, 0, 0], [1, 2, 2]]])
    assert mpjpe(predicted, target).tolist() == [3, 1.5]


@pytest.mark.parametrize("seed", range(5))
def test_alignment_agrees_with_scipy(seed: int) -> None:
    predicted, target = _pair(seed)
    predicted = Rotation.random(random_state=seed).apply(predicted * 3) + np.array([1, -2, 5])
    expected = _aligned_by_scipy(predicted, target)
    np.testing.assert_allclose(procrustes(predicted, target), expected, atol=1e-9)
    assert p_mpjpe(predicted, target) == pytest.approx(np.linalg.norm(expected - target, axis=1).mean())


@pytest.mark.parametrize("seed", range(5))
def test_alignment_agrees_with_scipy_s_procrustes(seed: int) -> None:
    predicted, target = _pair(seed)
    predicted = Rotation.random(random_state=seed).apply(predicted * 0.3) + np.array([4, 0, -1])
    # scipy gives both poses unit size; its answer may be a mirror image, but not for poses this alike.
    unit, moved, disparity = scipy_procrustes(target, predicted)
    size = np.linalg.norm(target - target.mean(0))
    aligned = procrustes(predicted, target)
    np.testing.assert_allclose(aligned, moved * size + target.mean(0), atol=1e-9)
    assert ((aligned - target) ** 2).sum() == pytest.approx(disparity * size**2)
    expected = size * np.linalg.norm(moved - unit, axis=1).mean()
    assert p_mpjpe(predicted, target) == pytest.approx(expected)


def test_scipy_s_procrustes_mirrors_and_ours_does_not() -> None:
    _, target = _pair()
    assert scipy_procrustes(target, target * [1, -1, 1])[2] == pytest.approx(0, abs=1e-12)
    assert p_mpjpe(target * [1, -1, 1], target) > 0.05
    # Mirrored twice is turned by half.
    assert p_mpjpe(target * [-1, -1, 1], target) == pytest.approx(0, abs=1e-9)


def test_known_changes_have_known_errors() -> None:
    _, target = _pair()
    far = np.linalg.norm(target, axis=1).mean()
    assert mpjpe(target * 1.2, target) == pytest.approx(0.2 * far)
    assert mpjpe(-target, target) == pytest.approx(2 * far)
    assert mpjpe(target + np.array([0.03, 0, -0.04]), target) == pytest.approx(0.05)
    # A quarter turn about z moves a joint by its distance from the axis, times the square root of two.
    turned = Rotation.from_rotvec([0, 0, np.pi / 2]).apply(target)
    assert mpjpe(turned, target) == pytest.approx(np.sqrt(2) * np.linalg.norm(target[:, :2], axis=1).mean())
    # The best scale may be below nought, as in the published formula.
    assert n_mpjpe(target * -1, target) == pytest.approx(0, abs=1e-12)


def test_alignment_is_the_least_squares_optimum() -> None:
    predicted, target = _pair(7, 6)

    def cost(v: Poses) -> float:
        moved = np.exp(v[0]) * Rotation.from_rotvec(v[1:4]).apply(predicted) + v[4:]
        return float(((moved - target) ** 2).sum())

    found = min(
        (minimize(cost, np.array([0, *start, 0, 0, 0]), tol=1e-12) for start in np.eye(3) * 2),
        key=lambda r: r.fun,
    )
    ours = ((procrustes(predicted, target) - target) ** 2).sum()
    assert ours == pytest.approx(found.fun, rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 1, 40])
def test_alignment_undoes_any_similarity(scale: float) -> None:
    _, target = _pair()
    turn = Rotation.from_rotvec([0.5, -2, 1])
    moved = turn.apply(target * scale) + np.array([3, 4, -5])
    np.testing.assert_allclose(procrustes(moved, target), target, atol=1e-9)
    assert p_mpjpe(moved, target) == pytest.approx(0, abs=1e-9)
    assert mpjpe(moved, target) > 1


def test_alignment_does_not_mirror() -> None:
    _, target = _pair()
    mirrored = target * [-1, 1, 1]
    aligned = procrustes(mirrored, target)
    np.testing.assert_allclose(aligned, _aligned_by_scipy(mirrored, target), atol=1e-9)
    assert mpjpe(aligned, target) > 0.05


def test_every_pose_is_aligned_by_itself() -> None:
    pairs = [_pair(seed) for seed in range(6)]
    predicted, target = (np.array(v).reshape(2, 3, 17, 3) for v in zip(*pairs, strict=True))
    for metric in (mpjpe, p_mpjpe, n_mpjpe):
        alone = [metric(p, t) for p, t in pairs]
        np.testing.assert_allclose(metric(predicted, target).reshape(-1), alone)
        assert metric(predicted, target).shape == (2, 3)
        assert metric(predicted.astype(np.float32), target.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("seed", range(3))
def test_the_best_scale_is_the_least_squares_one(seed: int) -> None:
    predicted, target = _pair(seed)
    predicted = predicted * 2.5
    found = minimize_scalar(lambda s: ((s * predicted - target) ** 2).sum(), tol=1e-12)
    expected = np.linalg.norm(found.x * predicted - target, axis=1).mean()
    assert n_mpjpe(predicted, target) == pytest.approx(expected, rel=1e-6)
    assert n_mpjpe(target * 7, target) == pytest.approx(0, abs=1e-12)


def test_velocity_error_by_hand() -> None:
    target = np.zeros((3, 2, 3))
    target[:, :, 0] = [[0, 0], [1, 1], [2, 2]]
    predicted = target + 5  # a constant offset is no error of velocity
    assert mpjve(predicted, target).tolist() == [0, 0]
    predicted[2, 0] += [0, 3, 4]
    assert mpjve(predicted, target).tolist() == [0, 2.5]
    assert mpjve(predicted[:1], target[:1]).shape == (0,)


def test_degenerate_poses_give_finite_errors() -> None:
    _, target = _pair()
    nothing, line = np.zeros_like(target), target * [1, 0, 0]
    centred = target - target.mean(0)
    assert p_mpjpe(nothing, target) == pytest.approx(np.linalg.norm(centred, axis=1).mean())
    assert n_mpjpe(nothing, target) == pytest.approx(np.linalg.norm(target, axis=1).mean())
    assert p_mpjpe(target, nothing) == pytest.approx(0, abs=1e-12)
    assert p_mpjpe(nothing, nothing) == n_mpjpe(nothing, nothing) == 0
    assert p_mpjpe(line, line) == pytest.approx(0, abs=1e-12)
    assert np.isfinite(p_mpjpe(line, target))
    assert p_mpjpe(target[:1], target[1:2]) == pytest.approx(0, abs=1e-12)


def test_no_poses_have_no_errors() -> None:
    for metric in (mpjpe, p_mpjpe, n_mpjpe):
        assert metric(np.zeros((0, 17, 3)), np.zeros((0, 17, 3))).shape == (0,)


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, procrustes])
@pytest.mark.parametrize(
    "shapes", [((17, 3), (16, 3)), ((17, 2), (17, 2)), ((3,), (3,)), ((2, 17, 3), (17, 3))]
)
def test_other_shapes_are_refused(metric: object, shapes: tuple[tuple[int, ...], ...]) -> None:
    assert callable(metric)
    with pytest.raises(ValueError, match="equal shapes"):
        metric(*(np.zeros(s) for s in shapes))
