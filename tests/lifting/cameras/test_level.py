import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.lifting.cameras.level import ANKLE_HEIGHT, LEVEL, level, level_camera
from videopose.skeleton import H36M17

FEET = [H36M17.index("lfoot"), H36M17.index("rfoot")]


def _people(count: int = 40) -> NDArray[np.float64]:
    """Standing people who sway a few degrees in all directions."""
    pose = np.zeros((17, 3))
    for side, sign in (("l", 1), ("r", -1)):
        for joint, at in {"hip": (0.12, 0, 0), "knee": (0.12, 0.45, 0), "foot": (0.12, 0.9, 0)}.items():
            pose[H36M17.index(side + joint)] = np.array(at) * (sign, 1, 1)
    for joint, height in {"spine": -0.25, "thorax": -0.5, "nose": -0.6, "head": -0.75}.items():
        pose[H36M17.index(joint)] = (0, height, 0)
    bearing = np.arange(count) / count * 2 * np.pi
    sway = np.radians(4) * np.stack([np.cos(bearing), np.zeros(count), np.sin(bearing)], 1)
    return np.einsum("nij,kj->nki", Rotation.from_rotvec(sway).as_matrix(), pose)


@pytest.mark.parametrize("tilt", [(30, 0, 0), (-20, 0, 0), (0, 0, 25), (25, 0, -15)])
def test_a_tilted_camera_is_levelled(tilt: tuple[float, float, float]) -> None:
    camera = Rotation.from_rotvec(np.radians(tilt)).as_matrix()
    people = _people()
    rotation = level(people @ camera.T)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    up = (people @ camera.T @ rotation.T).mean(0)[H36M17.index("thorax")]
    np.testing.assert_allclose(up / np.linalg.norm(up), (0, -1, 0), atol=1e-3)


def test_a_level_camera_is_left_alone() -> None:
    camera = Rotation.from_rotvec(np.radians((5, 0, 3))).as_matrix()  # as much as people lean
    assert (level(_people() @ camera.T) == np.eye(3)).all()


def test_people_who_do_not_stand_say_nothing() -> None:
    camera = Rotation.from_rotvec(np.radians((30, 0, 0))).as_matrix()
    tilted = _people() @ camera.T
    lying = _people() @ Rotation.from_rotvec(np.radians((85, 0, 0))).as_matrix().T
    sitting = tilted.copy()
    sitting[:, FEET] += np.array([0, -0.45, -0.45]) @ camera.T
    for poses in (lying, sitting, tilted[:5], tilted * np.nan, tilted[:0]):
        assert (level(poses) == np.eye(3)).all()


def test_poses_that_were_not_lifted_do_no_harm() -> None:
    tilted = _people() @ Rotation.from_rotvec(np.radians((30, 0, 0))).as_matrix().T
    some = tilted.copy()
    some[::4] = np.nan
    np.testing.assert_allclose(level(some), level(tilted), atol=0.02)


def test_feet_stand_on_the_floor_of_the_levelled_camera() -> None:
    roots = np.tile([0.3, 0.6, 4.0], (40, 1))
    rotation, height = level_camera(_people(), roots)
    np.testing.assert_array_equal(rotation, LEVEL)
    assert height == pytest.approx(0.6 + 0.9 + ANKLE_HEIGHT, abs=0.03)
    assert level_camera(_people(), roots * np.nan)[1] == 0
