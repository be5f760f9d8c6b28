import math

import cv2
import numpy as np
import pytest

from videopose.lifting.camera import Intrinsics, project
from videopose.lifting.distortion import Lens
from videopose.lifting.h36m_cameras import CAMERAS

CAMERA = Intrinsics(1145.0, 1143.8, 512.5, 515.5)


def _points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.uniform(-1.5, 1.5, (200, 2)), rng.uniform(4, 6, (200, 1))], -1)


def test_without_distortion_it_is_a_pinhole() -> None:
    np.testing.assert_allclose(Lens(CAMERA).project(_points()), project(_points(), CAMERA), atol=1e-4)


def test_radial_distortion_is_the_one_of_opencv() -> None:
    lens = Lens(CAMERA, (-0.207, 0.248, -0.003))
    matrix = np.array([[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]])
    pixels, _ = cv2.projectPoints(
        _points(), np.zeros(3), np.zeros(3), matrix, np.array([-0.207, 0.248, 0, 0, -0.003])
    )
    np.testing.assert_allclose(lens.project(_points()), pixels[:, 0], atol=1e-3)


def test_tangential_distortion_is_the_published_formula() -> None:
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


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Lens(CAMERA, (math.nan, 0, 0))
    with pytest.raises(ValueError, match="three radial"):
        Lens(CAMERA, (0, 0))  # type: ignore[arg-type]
