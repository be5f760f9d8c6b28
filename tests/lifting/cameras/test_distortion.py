import math

import cv2
import numpy as np
import pytest

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics, project
from videopose.lifting.datasets.human36m_cameras import CAMERAS

CAMERA = Intrinsics(1145.0, 1143.8, 512.5, 515.5)
OPENCV = [
    (-0.31, 0.12, 0.0011, -0.0007),
    (-0.31, 0.12, 0.0011, -0.0007, -0.02),
    (0.2, 0.3, -0.001, 0.002, 0.1),
    (0.9, 0.2, 1e-4, 2e-4, 0.002, 1.2, 0.4, 0.02),
]
LENSES = [
    Lens(CAMERA),
    *(camera.lens for camera in CAMERAS["S1"] if camera.lens is not None),
    *(Lens.of_model(CAMERA, "opencv", factors) for factors in OPENCV),
]


def _points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.uniform(-1.5, 1.5, (200, 2)), rng.uniform(4, 6, (200, 1))], -1)


def test_without_distortion_it_is_a_pinhole() -> None:
    np.testing.assert_allclose(Lens(CAMERA).project(_points()), project(_points(), CAMERA), atol=1e-4)
    np.testing.assert_array_equal(Lens(CAMERA).undistort(_points()), _points().astype(np.float32))


@pytest.mark.parametrize("factors", OPENCV, ids=len)
def test_opencv_model(factors: tuple[float, ...]) -> None:
    matrix = np.array([[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]])
    pixels, _ = cv2.projectPoints(_points(), np.zeros(3), np.zeros(3), matrix, np.array(factors))
    lens = Lens.of_model(CAMERA, "opencv", factors)
    np.testing.assert_allclose(lens.project(_points()), pixels[:, 0], atol=1e-3)
    assert lens.coefficients[: len(factors)] == factors
    assert not any(lens.coefficients[len(factors) :])


def test_human36m_radial_distortion_is_the_one_of_opencv() -> None:
    ours = Lens.of_model(CAMERA, "human36m", (-0.207, 0.248, -0.003, 0, 0))
    theirs = Lens.of_model(CAMERA, "opencv", (-0.207, 0.248, 0, 0, -0.003))
    np.testing.assert_array_equal(ours.project(_points()), theirs.project(_points()))
    assert ours.coefficients == (-0.207, 0.248, -0.003, 0, 0)


def test_human36m_tangential_distortion_is_the_published_formula() -> None:
    p1, p2 = -0.000976, -0.001424
    x, y = (_points()[:, i] / _points()[:, 2] for i in (0, 1))
    # x (1 + p·x) + p r², factor by factor
    u = x * (1 + p1 * x + p2 * y) + p1 * (x * x + y * y)
    v = y * (1 + p1 * x + p2 * y) + p2 * (x * x + y * y)
    expected = np.stack([CAMERA.fx * u + CAMERA.cx, CAMERA.fy * v + CAMERA.cy], -1)
    np.testing.assert_allclose(Lens(CAMERA, tangential=(p1, p2)).project(_points()), expected, atol=1e-4)


def test_the_other_order_of_the_tangential_factors_moves_nothing_far() -> None:
    for camera in CAMERAS["S1"]:
        assert camera.lens is not None
        swapped = Lens(camera.lens.intrinsics, camera.lens.radial, camera.lens.tangential[::-1])
        away = np.linalg.norm(camera.lens.project(_points()) - swapped.project(_points()), axis=-1)
        assert 0.01 < away.max() < 1.5


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: f"{lens.model} {lens.coefficients[:2]}")
@pytest.mark.parametrize("wide", [0.1, 1.0, 5.0])
def test_undistorting_undoes_it(lens: Lens, wide: float) -> None:
    """Also far beyond the picture, where the formula is continued."""
    points = _points() * [wide, wide, 1]
    straight = lens.undistort(lens.project(points))
    np.testing.assert_allclose(straight, project(points, CAMERA) * _ratio(lens) + _shift(lens), atol=0.02)


def _ratio(lens: Lens) -> np.ndarray:
    return np.array([lens.intrinsics.fx / CAMERA.fx, lens.intrinsics.fy / CAMERA.fy])


def _shift(lens: Lens) -> np.ndarray:
    return np.array([lens.intrinsics.cx, lens.intrinsics.cy]) - np.array([CAMERA.cx, CAMERA.cy]) * _ratio(
        lens
    )


def test_undistorting_keypoints_keeps_scores_and_gaps() -> None:
    lens = Lens.of_model(CAMERA, "opencv", OPENCV[0])
    keypoints = np.random.default_rng(1).uniform(0, 1000, (5, 17, 3)).astype(np.float32)
    keypoints[2, 3, :2] = np.nan
    keypoints[0, 0, :2] = CAMERA.cx, CAMERA.cy
    before = keypoints.copy()
    straight = lens.undistort(keypoints)
    np.testing.assert_array_equal(keypoints, before)
    assert straight.dtype == np.float32
    np.testing.assert_array_equal(straight[..., 2], keypoints[..., 2])
    np.testing.assert_allclose(straight[0, 0, :2], [CAMERA.cx, CAMERA.cy], atol=1e-3)
    assert np.isnan(straight[2, 3, :2]).all()
    assert np.isfinite(np.delete(straight.reshape(-1, 3), 2 * 17 + 3, 0)).all()
    assert np.nanmax(np.abs(straight - keypoints)[..., :2]) > 10


def test_a_formula_that_turns_back_does_not_fold_the_picture() -> None:
    lens = Lens.of_model(CAMERA, "opencv", (-0.3, 0, 0, 0))  # r (1 − 0.3 r²) falls from r = 1.05 on
    x = np.linspace(0, 5, 400)
    u = lens.project(np.stack([x, 0 * x, 1 + 0 * x], -1))[:, 0]
    assert (np.diff(u) > 0).all()
    inside = x < 1
    expected = CAMERA.fx * x * (1 - 0.3 * x**2) + CAMERA.cx
    np.testing.assert_allclose(u[inside], expected[inside], atol=1e-3)


def test_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Lens(CAMERA, (math.nan, 0, 0))
    with pytest.raises(ValueError, match="three radial"):
        Lens(CAMERA, (0, 0))
    with pytest.raises(ValueError, match="three radial"):
        Lens(CAMERA, (0, 0, 0, 0, 0, 0))  # six are OpenCV's
    with pytest.raises(ValueError, match="two tangential"):
        Lens(CAMERA, tangential=(0, 0, 0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no distortion model 'fisheye'"):
        Lens(CAMERA, model="fisheye")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="leaves no part of the picture"):
        Lens(CAMERA, (-1e9, 0, 0))
    for model, factors in (("opencv", (1, 2, 3)), ("opencv", (0,) * 14), ("human36m", (0,) * 4)):
        with pytest.raises(ValueError, match="distortion is k1 k2"):
            Lens.of_model(CAMERA, model, factors)  # type: ignore[arg-type]
