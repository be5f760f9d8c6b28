import math

import numpy as np
import pytest

from videopose.lifting.cameras.input_space import to_rays, to_screen
from videopose.lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics, project

FULL_HD = (1920, 1080)


def test_35mm_equivalent_by_the_diagonal() -> None:
    # A full-frame diagonal is √(36² + 24²) = 43.267 mm; 1920 × 1080 has one of 2202.907 px.
    camera = Intrinsics.from_35mm(26, FULL_HD)
    assert camera.fx == pytest.approx(26 / 43.27 * 2202.907, rel=1e-3)
    assert camera.fx == pytest.approx(1323.78, abs=0.01)
    assert (camera.fy, camera.cx, camera.cy) == (camera.fx, 960, 540)


def test_35mm_equivalent_does_not_change_when_the_phone_is_turned() -> None:
    upright = Intrinsics.from_35mm(26, (1080, 1920))
    assert upright.fx == pytest.approx(Intrinsics.from_35mm(26, FULL_HD).fx)
    assert (upright.cx, upright.cy) == (540, 960)


def test_angles_of_view() -> None:
    assert Intrinsics.from_fov(90, 1920, FULL_HD).fx == pytest.approx(960)
    assert Intrinsics.from_fov(60, 1080, FULL_HD).fy == pytest.approx(540 * math.sqrt(3))


@pytest.mark.parametrize("size", [FULL_HD, (1080, 1920)])
def test_the_assumed_camera_sees_sixty_degrees_along_the_longer_side(size: tuple[int, int]) -> None:
    camera = Intrinsics.assumed(size)
    assert 2 * math.degrees(math.atan(960 / camera.fx)) == pytest.approx(60)
    assert (camera.cx, camera.cy) == (size[0] / 2, size[1] / 2)


@pytest.mark.parametrize("degrees", [0, -10, 180, 200, math.nan])
def test_impossible_angles_are_refused(degrees: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 180"):
        Intrinsics.from_fov(degrees, 1920, FULL_HD)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ((0, 1, 2, 3), "positive"),
        ((1, -1, 2, 3), "positive"),
        ((math.inf, 1, 2, 3), "finite"),
        ((1, 1, math.nan, 3), "finite"),
    ],
)
def test_cameras_check_themselves(values: tuple[float, float, float, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Intrinsics(*values)


def test_a_35mm_equivalent_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Intrinsics.from_35mm(0, FULL_HD)


def test_as_an_array() -> None:
    array = Intrinsics(1000, 1100, 640, 360).array()
    assert array.dtype == np.float32
    assert array.tolist() == [1000, 1100, 640, 360]


def test_rays_by_hand() -> None:
    camera = Intrinsics(1000, 500, 640, 360)
    rays = to_rays(np.array([[640.0, 360.0], [1640.0, 860.0], [540.0, 310.0]]), camera)
    assert rays.dtype == np.float32
    np.testing.assert_allclose(rays, np.array([[0, 0], [2.29, 2.29], [-0.229, -0.229]]), atol=1e-6)


def test_rays_do_not_tell_which_camera_filmed() -> None:
    points = np.random.default_rng(0).normal((0, 0, 5), 0.5, (3, 17, 3))
    phone, studio = Intrinsics.from_35mm(26, FULL_HD), Intrinsics(4000, 4000, 2100, 1400)
    a, b = (to_rays(project(points, camera), camera) for camera in (phone, studio))
    np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(a, points[..., :2] / points[..., 2:] * H36M_FOCAL, atol=1e-5)


@pytest.mark.parametrize("size", [FULL_HD, (480, 640)])
def test_screen_coordinates_are_the_paper_s(size: tuple[int, int]) -> None:
    w, h = size
    corners = np.array([[0, 0], [w, h], [w / 2, h / 2], [w, 0]], np.float32)
    expected = np.array([[-1, -h / w], [1, h / w], [0, 0], [1, -h / w]])
    screen = to_screen(corners, size)
    assert screen.dtype == np.float32
    np.testing.assert_allclose(screen, expected, atol=1e-6)
    point = np.array([[[300.0, 200.0]]])
    assert to_screen(point, size)[0, 0] == pytest.approx([2 * 300 / w - 1, (2 * 200 - h) / w])


def test_human36m_rays_are_its_screen_coordinates() -> None:
    keypoints = np.random.default_rng(0).uniform(0, 1000, (4, 17, 2))
    camera = Intrinsics(1145, 1145, 500, 500)
    np.testing.assert_allclose(to_rays(keypoints, camera), to_screen(keypoints, (1000, 1000)), atol=1e-6)


def test_projection_by_hand() -> None:
    camera = Intrinsics(1000, 1100, 640, 360)
    pixels = project(np.array([[[0, 0, 2], [1, -0.5, 4]]]), camera)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, np.array([[[640, 360], [890, 222.5]]]), atol=1e-4)
