import numpy as np
import pytest

from videopose.lifting.world.gravity import Upright, agree, camera_axes, pitch_and_roll, up_of


@pytest.mark.parametrize("angles", [(0, 0), (30, 0), (-20, 10), (5, -90), (-10, 180), (60, 120)])
def test_pitch_and_roll_and_back(angles) -> None:
    up = up_of(*angles)
    assert np.linalg.norm(up) == pytest.approx(1)
    assert pitch_and_roll(up) == pytest.approx(angles)
    axes = camera_axes(up)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes @ up, (0, 0, 1), atol=1e-12)


def test_a_camera_that_looks_up_sees_up_before_it() -> None:
    assert up_of(20, 0)[2] > 0
    # Turned clockwise, its right side is down: up lies to its left.
    assert up_of(0, 20)[0] < 0


def test_x_is_to_the_cameras_right() -> None:
    for angles in ((0, 0), (-40, 10), (20, -30)):
        x = camera_axes(up_of(*angles))[0]
        assert x[0] > 0.8


def test_most_people_decide() -> None:
    up, off = up_of(-10, 0), up_of(-60, 0)
    found = agree([Upright(up, 50), Upright(up_of(-12, 2), 50), Upright(off, 80)])
    assert np.degrees(np.arccos(found @ up)) < 6
    with pytest.raises(ValueError, match="at least one"):
        agree([])
