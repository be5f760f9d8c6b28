import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.lifting.datasets.joint_angles import Motion, compose, euler_rotation


@pytest.mark.parametrize("axes", ["ZYX", "XYZ", "ZXY", "Y", "XZ"])
def test_turns_one_after_another(axes: str) -> None:
    angles = np.random.default_rng(0).uniform(-4, 4, (20, len(axes)))
    expected = Rotation.from_euler(axes, angles).as_matrix()  # capitals: about axes that turn along
    np.testing.assert_allclose(euler_rotation(axes.lower(), angles), expected, atol=1e-12)
    np.testing.assert_array_equal(euler_rotation("", np.empty((2, 0))), np.stack([np.eye(3)] * 2))


def test_joints_follow_their_parents() -> None:
    rng = np.random.default_rng(0)
    parents = (-1, 0, 1, 0)
    turns = [[Rotation.from_rotvec(rng.normal(size=3)) for _ in parents] for _ in range(5)]
    offsets = rng.normal(size=(5, 4, 3))
    matrices = np.array([[r.as_matrix() for r in frame] for frame in turns])
    positions, rotations = compose(parents, matrices, offsets)
    for t in range(5):
        root, spine, head, leg = turns[t]
        chest = offsets[t, 0] + root.apply(offsets[t, 1])
        np.testing.assert_allclose(positions[t, 1], chest)
        np.testing.assert_allclose(positions[t, 2], chest + (root * spine).apply(offsets[t, 2]))
        np.testing.assert_allclose(positions[t, 3], offsets[t, 0] + root.apply(offsets[t, 3]))
        np.testing.assert_allclose(rotations[t, 2], (root * spine * head).as_matrix(), atol=1e-12)
        np.testing.assert_allclose(rotations[t, 3], (root * leg).as_matrix(), atol=1e-12)


def test_a_motion_checks_itself() -> None:
    positions, rotations = np.zeros((3, 2, 3)), np.zeros((3, 2, 3, 3))
    motion = Motion(("a", "b"), (-1, 0), positions, rotations, 30.0)
    assert len(motion) == 3
    assert "b" in motion
    assert "c" not in motion
    with pytest.raises(KeyError, match="c"):
        motion.position("c")
    with pytest.raises(ValueError, match="name of its own"):
        Motion(("a", "a"), (-1, 0), positions, rotations, 30.0)
    with pytest.raises(ValueError, match="disagree"):
        Motion(("a", "b"), (-1, 0), positions, rotations[:2], 30.0)
    with pytest.raises(ValueError, match="finite"):
        Motion(("a", "b"), (-1, 0), positions * np.nan, rotations, 30.0)
    with pytest.raises(ValueError, match="rate"):
        Motion(("a", "b"), (-1, 0), positions, rotations, 0.0)
