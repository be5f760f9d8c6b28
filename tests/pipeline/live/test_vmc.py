import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from scipy.spatial.transform import Rotation

from videopose.lifting.exports.rig import JOINTS, NAMES, PARENTS
from videopose.pipeline.live.vmc import VmcPerson
from videopose.skeleton import H36M17

# A standing person who looks along +z, y up, left at +x; the arms hang down.
STANDING = {
    "hip": (0, 0.95, 0), "lhip": (0.12, 0.95, 0), "rhip": (-0.12, 0.95, 0), "lknee": (0.12, 0.52, 0),
    "rknee": (-0.12, 0.52, 0), "lfoot": (0.12, 0.07, 0), "rfoot": (-0.12, 0.07, 0), "spine": (0, 1.2, 0),
    "thorax": (0, 1.45, 0), "nose": (0, 1.6, 0.12), "head": (0, 1.72, 0), "lshoulder": (0.18, 1.42, 0),
    "rshoulder": (-0.18, 1.42, 0), "lelbow": (0.18, 1.12, 0), "relbow": (-0.18, 1.12, 0),
    "lwrist": (0.18, 0.86, 0), "rwrist": (-0.18, 0.86, 0),
}  # fmt: skip


def joints(**moved: tuple[float, float, float]) -> np.ndarray:
    return np.array([(STANDING | moved)[name] for name in H36M17.names], float)


def read(packet: bytes) -> dict[str, list[object]]:
    """The arguments by address; those of bones by the bone's name."""
    found: dict[str, list[object]] = {}
    for each in OscBundle(packet):
        name = each.params[0] if each.address.endswith("Pos") else each.address
        found[str(name)] = list(each.params[1:] if each.address.endswith("Pos") else each.params)
    return found


def world(found: dict[str, list[object]]) -> dict[str, np.ndarray]:
    """Where Unity puts the bones: x right, y up, z forward, by forward kinematics."""
    places: dict[str, np.ndarray] = {}
    turns: dict[str, Rotation] = {}
    for joint, parent in enumerate(PARENTS):
        name = NAMES["plain"][joint]
        values = np.array(found[name], float)
        local = Rotation.from_quat(values[3:])
        if parent < 0:
            places[name], turns[name] = values[:3], local
        else:
            above = NAMES["plain"][parent]
            places[name] = places[above] + turns[above].apply(values[:3])
            turns[name] = turns[above] * local
    return places


def test_all_bones_of_a_humanoid_are_sent() -> None:
    found = read(VmcPerson().packet(joints(), 1.5))
    assert found["/VMC/Ext/OK"] == [1]
    assert found["/VMC/Ext/T"] == [1.5]
    assert found["root"] == [0, 0, 0, 0, 0, 0, 1]
    assert set(NAMES["plain"]) <= set(found)
    assert len(found) == 3 + len(JOINTS)
    for name in NAMES["plain"]:
        assert np.linalg.norm(np.array(found[name][3:], float)) == pytest.approx(1, abs=1e-5)


def test_unity_s_space_has_the_left_hand_at_minus_x() -> None:
    raised = joints(lelbow=(0.48, 1.42, 0), lwrist=(0.74, 1.42, 0))
    places = world(read(VmcPerson().packet(raised, 0.0)))
    np.testing.assert_allclose(places["LeftHand"], (-0.74, 1.42, 0), atol=0.06)
    np.testing.assert_allclose(places["RightHand"], (0.18, 0.86, 0), atol=0.06)
    np.testing.assert_allclose(places["Hips"], (0, 0.95, 0), atol=0.03)
    np.testing.assert_allclose(places["LeftFoot"], (-0.12, 0.07, 0), atol=0.04)


def test_an_arm_stretched_forward_points_forward() -> None:
    forward = joints(relbow=(-0.18, 1.42, 0.3), rwrist=(-0.18, 1.42, 0.56))
    places = world(read(VmcPerson().packet(forward, 0.0)))
    assert places["RightHand"][2] > 0.45
    assert places["RightHand"][0] > 0.1


def test_lengths_settle_and_time_may_jump_back() -> None:
    person, random = VmcPerson(), np.random.default_rng(0)
    upper_arms = []
    for frame in range(60):
        noisy = joints() + random.normal(0, 0.02, (17, 3))
        found = read(person.packet(noisy, frame / 30))
        upper_arms.append(np.linalg.norm(np.array(found["LeftLowerArm"][:3], float)))
    assert np.std(upper_arms[30:]) < 0.3 * np.std(upper_arms[:6])
    assert read(person.packet(joints(), 0.5))["/VMC/Ext/T"] == [0.5]
