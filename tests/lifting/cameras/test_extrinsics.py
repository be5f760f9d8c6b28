import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.lifting.cameras.extrinsics import Extrinsics

ORIENTATION = (0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088)
PLACE = Extrinsics(ORIENTATION, (1.841, 4.955, 1.563))


def test_points_turn_as_scipy_turns_them() -> None:
    points = np.random.default_rng(0).normal(size=(6, 17, 3))
    w, x, y, z = ORIENTATION
    turn = Rotation.from_quat([x, y, z, w])
    expected = turn.inv().apply(points.reshape(-1, 3) - PLACE.position).reshape(points.shape)
    np.testing.assert_allclose(PLACE.to_camera(points), expected, atol=1e-6)
    assert PLACE.to_camera(points).dtype == np.float32
    np.testing.assert_allclose(PLACE.rotation, turn.as_matrix(), atol=1e-12)


def test_the_camera_itself_is_at_its_own_origin() -> None:
    np.testing.assert_allclose(PLACE.to_camera(np.array(PLACE.position)), 0, atol=1e-7)


def test_a_camera_that_looks_north_sees_what_lies_north_ahead() -> None:
    # Forward is +y, right is +x, down is −z: a quarter turn about x.
    camera = Extrinsics((math.sqrt(0.5), -math.sqrt(0.5), 0, 0), (0, 0, 1))
    np.testing.assert_allclose(camera.to_camera(np.array([0.5, 4, 1.2])), [0.5, -0.2, 4], atol=1e-6)


@pytest.mark.parametrize(
    ("orientation", "position", "what"),
    [
        ((1, 0, 0, 0.1), (0, 0, 0), "unit quaternion"),
        ((1, 0, 0, math.nan), (0, 0, 0), "finite"),
        ((1, 0, 0, 0), (0, math.inf, 0), "finite"),
        ((1, 0, 0), (0, 0, 0), "four"),
    ],
)
def test_bad_values_are_refused(orientation: tuple, position: tuple, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Extrinsics(orientation, position)
