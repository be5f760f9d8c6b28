import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from walking import walking

from videopose.lifting.exports.angles import NAMES, angle_ranges, joint_angles, opensim_coordinates
from videopose.skeleton import H36M17


@pytest.mark.parametrize("heading", [0, 90, 200])
def test_angles_of_a_known_walk(heading: float) -> None:
    walk = walking(60, heading=heading)
    angles = joint_angles(walk["joints"])
    assert tuple(angles) == NAMES
    for side, end in (("right", "r"), ("left", "l")):
        assert angles[f"knee_flexion_{side}"] == pytest.approx(walk[f"knee_flexion_{end}"], abs=1e-6)
        assert angles[f"elbow_flexion_{side}"] == pytest.approx(
            np.abs(walk[f"elbow_flexion_{end}"]), abs=1e-6
        )
        # The trunk stands upright, where a person's leans back by 5° when the pelvis is upright.
        assert angles[f"hip_flexion_{side}"] == pytest.approx(walk[f"hip_flexion_{end}"] + 5, abs=1e-6)
        assert angles[f"shoulder_flexion_{side}"] == pytest.approx(walk[f"shoulder_flexion_{end}"], abs=1e-6)
        assert np.nanmax(np.abs(angles[f"hip_adduction_{side}"])) < 1e-6
    assert angles["pelvis_tilt"] == pytest.approx(5, abs=1e-6)
    assert np.cos(np.radians(angles["pelvis_rotation"] - heading)) == pytest.approx(1)
    for name in ("pelvis_list", "trunk_lean_forward", "trunk_lean_side", "trunk_twist"):
        assert angles[name] == pytest.approx(0, abs=1e-6)


def _standing() -> np.ndarray:
    """One frame of a person who faces x."""
    joints = walking(1)["joints"]
    for side, y in (("l", 0.1), ("r", -0.1)):
        for joint, height in (("hip", 0.9), ("knee", 0.5), ("foot", 0.07)):
            joints[0, H36M17.index(side + joint)] = (0, y, height)
    joints[0, 0] = (0, 0, 0.9)
    return joints


def _put(joints: np.ndarray, name: str, *point: float) -> None:
    joints[0, H36M17.index(name)] = point


def _angles(joints: np.ndarray) -> dict[str, float]:
    return {name: float(values[0]) for name, values in joint_angles(joints).items()}


@pytest.mark.parametrize(("side", "out"), [("left", 1), ("right", -1)])
def test_the_signs_of_hip_and_shoulder(side: str, out: int) -> None:
    joints, letter = _standing(), side[0]
    _put(joints, letter + "knee", 0, out * (0.1 + 0.4 * np.sin(0.3)), 0.9 - 0.4 * np.cos(0.3))
    assert _angles(joints)[f"hip_adduction_{side}"] == pytest.approx(-np.degrees(0.3), abs=0.2)  # outwards
    joints = _standing()
    _put(joints, letter + "knee", 0.4, out * 0.1, 0.9)  # a seated thigh, the shin turned outwards
    _put(joints, letter + "foot", 0.4, out * 0.4, 0.6)
    angles = _angles(joints)
    assert angles[f"hip_flexion_{side}"] == pytest.approx(95)
    assert angles[f"knee_flexion_{side}"] == pytest.approx(90)
    assert angles[f"hip_rotation_{side}"] == pytest.approx(45, abs=1)  # the foot outwards: the thigh inwards
    shoulder = joints[0, H36M17.index(letter + "shoulder")]
    _put(joints, letter + "elbow", *np.add(shoulder, (0, out * 0.28, 0)))
    angles = _angles(joints)
    assert angles[f"shoulder_abduction_{side}"] == pytest.approx(90, abs=1)
    assert np.isnan(angles[f"shoulder_flexion_{side}"])  # seen from the side the arm is a point
    _put(joints, letter + "elbow", *np.add(shoulder, (0.28, 0, 0)))
    assert _angles(joints)[f"shoulder_flexion_{side}"] == pytest.approx(90, abs=1)
    assert np.isnan(_angles(joints)[f"shoulder_abduction_{side}"])


def test_the_signs_of_pelvis_and_trunk() -> None:
    joints = _standing()
    _put(joints, "lhip", -0.05, 0.1, 0.9)
    _put(joints, "rhip", 0.05, -0.1, 0.9)
    angles = _angles(joints)
    assert angles["pelvis_rotation"] == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.1)  # to the left
    assert angles["trunk_twist"] == pytest.approx(-angles["pelvis_rotation"], abs=0.1)
    joints = _standing()
    _put(joints, "lhip", 0, 0.1, 0.93)
    _put(joints, "rhip", 0, -0.1, 0.87)
    assert _angles(joints)["pelvis_list"] == pytest.approx(
        np.degrees(np.arctan(0.3)), abs=0.5
    )  # right side low
    for name, move, sign in (("trunk_lean_forward", (0.2, 0, 0), 1), ("trunk_lean_side", (0, -0.2, 0), 1)):
        joints = _standing()
        for joint in ("spine", "thorax", "nose", "head", "lshoulder", "rshoulder"):
            joints[0, H36M17.index(joint)] += move
        assert sign * _angles(joints)[name] > 10
    assert _angles(joints)["pelvis_tilt"] == pytest.approx(5, abs=1)


def test_nothing_jumps_and_gaps_stay_gaps() -> None:
    joints = walking(200)["joints"]
    for frame, degrees in enumerate(np.linspace(0, 900, 200)):
        joints[frame] = Rotation.from_euler("z", degrees, degrees=True).apply(joints[frame])
    joints[50:60] = np.nan
    angles = joint_angles(joints)
    for values in angles.values():
        assert np.isnan(values[50:60]).all()
        assert np.nanmax(np.abs(np.diff(values))) < 20
    assert np.ptp(angles["pelvis_rotation"][60:]) == pytest.approx(900 * 139 / 199, abs=1)


def test_an_arm_that_is_raised_goes_through_180() -> None:
    joints = np.repeat(_standing(), 50, 0)
    shoulder = joints[0, H36M17.index("rshoulder")]
    angle = np.radians(np.linspace(0, 200, 50))
    joints[:, H36M17.index("relbow")] = shoulder + 0.28 * np.stack(
        [np.sin(angle), 0 * angle, -np.cos(angle)], 1
    )
    flexion = joint_angles(joints)["shoulder_flexion_right"]
    assert flexion - flexion[0] == pytest.approx(np.degrees(angle), abs=1e-6)


def test_a_raised_arm_is_at_180_although_the_way_there_is_not_seen() -> None:
    joints = np.repeat(_standing(), 3, 0)
    shoulder = joints[0, H36M17.index("rshoulder")]
    ways = [(0, -0.05, -0.27), (0, -0.28, 0), (-0.03, -0.05, 0.27)]  # down, sideways, up and a little back
    joints[:, H36M17.index("relbow")] = shoulder + ways
    flexion = joint_angles(joints)["shoulder_flexion_right"]
    assert np.isnan(flexion[1])
    assert flexion[2] == pytest.approx(186, abs=2)


def test_a_straight_leg_does_not_show_its_rotation() -> None:
    assert np.isnan(_angles(_standing())["hip_rotation_left"])
    assert np.isfinite(opensim_coordinates(_standing())["hip_rotation_l"]).all()


def test_opensim_coordinates_have_opensims_signs() -> None:
    walk = walking(60)
    coordinates = opensim_coordinates(walk["joints"])
    assert coordinates["knee_angle_r"] == pytest.approx(walk["knee_flexion_r"], abs=1e-6)
    assert coordinates["pelvis_tilt"] == pytest.approx(-5, abs=1e-6)
    assert coordinates["pelvis_ty"] == pytest.approx(walk["joints"][:, 0, 2])
    assert coordinates["pelvis_tz"] == pytest.approx(-walk["joints"][:, 0, 1])
    assert coordinates["arm_flex_r"] == pytest.approx(walk["shoulder_flexion_r"], abs=1e-6)


def test_ranges_leave_out_what_is_not_known() -> None:
    ranges = angle_ranges({"a": np.array([1.0, np.nan, 3.0]), "b": np.array([np.nan])})
    assert ranges == {"a": (1.0, 2.0, 3.0)}


def test_ankle_flexion_is_zero_at_a_right_angle_and_grows_with_lifted_toes() -> None:
    joints, ankle = _standing(), _standing()[:, [6, 3]]
    for lifted in (-40.0, 0.0, 25.0):
        ahead = np.array([np.cos(np.radians(lifted)), 0, np.sin(np.radians(lifted))])
        feet = np.stack([ankle, ankle + 0.2 * ahead + (0, 0.03, 0), ankle + 0.2 * ahead - (0, 0.03, 0)], 2)
        feet[:, 0, [1, 2]] = feet[:, 0, [2, 1]]  # the left big toe is on the right of the small one
        angles = joint_angles(joints, feet)
        shin = np.degrees(np.arctan2(*(joints[0, 5] - joints[0, 6])[[0, 2]]))
        assert angles["ankle_flexion_left"] == pytest.approx(lifted + shin, abs=1e-6)
        assert opensim_coordinates(joints, feet)["ankle_angle_l"] == pytest.approx(lifted + shin, abs=1e-6)
    assert "ankle_flexion_left" not in joint_angles(joints)
    assert "ankle_angle_l" not in opensim_coordinates(joints)
