import numpy as np
import pytest
from feet_in_pictures import with_feet
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from walking import motions_of, table_of, walking

from videopose.lifting.exports.axes import Z_UP_TO_Y_UP
from videopose.lifting.exports.rig import JOINTS, PARENTS
from videopose.lifting.exports.rig_fitting import bone_lengths, fit_rig
from videopose.skeleton import H36M17

SAME = {
    **{"hips": "hip", "chest": "spine", "neck": "thorax"},
    **{
        "lthigh": "lhip",
        "lshin": "lknee",
        "lfoot": "lfoot",
        "rthigh": "rhip",
        "rshin": "rknee",
        "rfoot": "rfoot",
    },
    **{"larm": "lshoulder", "lforearm": "lelbow", "lhand": "lwrist"},
    **{"rarm": "rshoulder", "rforearm": "relbow", "rhand": "rwrist"},
}
"""The joints of the rig that Human3.6M has, too."""


def _walk(frames: int = 60, heading: float = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return walking(frames, heading=heading)["joints"] @ Z_UP_TO_Y_UP.T, np.arange(frames) / 30


def _errors(positions: NDArray[np.float64], joints: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = [(JOINTS.index(ours), H36M17.index(theirs)) for ours, theirs in SAME.items()]
    return np.stack([np.linalg.norm(positions[:, a] - joints[:, b], axis=-1) for a, b in pairs], 1)


@pytest.mark.parametrize("heading", [0, 90, 215])
def test_a_walk_is_met_closely(heading: float) -> None:
    joints, times = _walk(heading=heading)
    errors = _errors(fit_rig(joints, times).positions(), joints)
    assert np.median(errors) < 0.004
    assert errors.max() < 0.015


def test_bones_keep_their_length_whatever_the_joints_do() -> None:
    joints, times = _walk()
    joints = joints + np.random.default_rng(0).normal(0, 0.03, joints.shape)
    rig = fit_rig(joints, times)
    positions = rig.positions()
    for joint, parent in enumerate(PARENTS[1:], 1):
        lengths = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=-1)
        assert lengths == pytest.approx(np.linalg.norm(rig.lengths.rest()[joint]), abs=1e-6)
    assert np.median(_errors(positions, joints)) < 0.05


def test_lengths_are_medians_of_both_sides() -> None:
    lengths = bone_lengths(_walk()[0])
    assert (lengths.thigh, lengths.shin) == pytest.approx((0.42, 0.43), abs=1e-6)
    assert lengths.upper_arm == pytest.approx(0.28, abs=1e-6)


def test_the_rest_pose_is_a_t_pose_on_the_floor() -> None:
    lengths = bone_lengths(_walk()[0])
    at = lengths.rest()
    for joint, parent in enumerate(PARENTS[1:], 1):
        at[joint] += at[parent]
    feet = [JOINTS.index("lfoot"), JOINTS.index("rfoot")]
    assert (at[feet] + lengths.ends()[:2])[:, 1] == pytest.approx(0, abs=1e-9)
    arm = [JOINTS.index(joint) for joint in ("rhand", "rforearm", "rarm", "larm", "lforearm", "lhand")]
    assert np.ptp(at[arm][:, 1:], axis=0) == pytest.approx(0, abs=1e-9)
    assert (np.diff(at[arm][:, 0]) > 0.2).all()


def test_turning_the_whole_person_turns_only_the_hips() -> None:
    joints, times = _walk()
    turn = Rotation.from_euler("y", 70, degrees=True)
    turned = turn.apply(joints.reshape(-1, 3)).reshape(joints.shape)
    straight, rotated = fit_rig(joints, times), fit_rig(turned, times)
    assert np.abs((straight.rotations[:, 1:] * rotated.rotations[:, 1:]).sum(-1)) == pytest.approx(
        1, abs=1e-6
    )
    hips = turn * Rotation.from_quat(straight.rotations[:, 0])
    assert np.abs((hips.as_quat() * rotated.rotations[:, 0]).sum(-1)) == pytest.approx(1, abs=1e-6)


def test_a_bent_knee_says_how_the_thigh_is_twisted() -> None:
    joints, times = _walk()
    knees = fit_rig(joints, times).rotations[:, JOINTS.index("lshin")]
    # The shin turns about the thigh's x axis and about nothing else.
    bent = Rotation.from_quat(knees).as_rotvec(degrees=True)
    assert np.abs(bent[:, 1:]).max() < 4
    assert bent[:, 0] == pytest.approx(walking(60)["knee_flexion_l"], abs=3)


def test_a_head_that_leans_far_back_does_not_turn_round() -> None:
    joints, times = _walk()
    nose, thorax, head = (H36M17.index(name) for name in ("nose", "thorax", "head"))
    lean = Rotation.from_euler("z", np.linspace(0, 80, len(joints))[:, None], degrees=True)
    joints[:, head] = joints[:, thorax] + lean.apply(joints[:, head] - joints[:, thorax])
    joints[:, nose] = joints[:, thorax] + lean.apply((0.0, 0.12, 0.0)) + np.array([-0.02, 0, 0])
    rotations = Rotation.from_quat(fit_rig(joints, times).world_rotations()[:, JOINTS.index("head")])
    assert (rotations.apply((1, 0, 0))[:, 2] < -0.9).all()  # the left ear stays on the left


def test_feet_do_not_sink_into_the_floor() -> None:
    joints, times = _walk(90)
    rig = fit_rig(joints, times)
    world, ends = rig.world_rotations(), rig.lengths.ends()
    flat = 0
    for side, foot in enumerate(("lfoot", "rfoot")):
        joint = JOINTS.index(foot)
        toe = rig.positions()[:, joint] + Rotation.from_quat(world[:, joint]).apply(ends[side])
        assert toe[:, 1].min() > -0.012  # the ankle itself may be a little low
        flat += int((np.abs(toe[:, 1]) < 0.005).sum())
    assert flat > 20


def test_one_frame_is_enough() -> None:
    joints, times = _walk(1)
    later = fit_rig(joints, times).at(np.array([0.0, 0.5]))
    assert later.hips.shape == (2, 3)
    assert (later.rotations[0] == later.rotations[1]).all()


def test_resampling_goes_half_way() -> None:
    joints, times = _walk()
    rig = fit_rig(joints, times)
    half = rig.at(times[:-1] + 1 / 60)
    angle = lambda a, b: np.degrees(2 * np.arccos(np.clip(np.abs((a * b).sum(-1)), 0, 1)))  # noqa: E731
    step = angle(rig.rotations[1:], rig.rotations[:-1])
    assert angle(half.rotations, rig.rotations[:-1]) == pytest.approx(step / 2, abs=1e-3)
    assert half.hips == pytest.approx((rig.hips[1:] + rig.hips[:-1]) / 2)


def test_joints_that_are_not_finite_are_refused() -> None:
    joints, times = _walk(5)
    joints[2, 3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        fit_rig(joints, times)


@pytest.mark.parametrize("turned", [-50, 0, 35])
def test_feet_point_where_heels_and_toes_say(turned: float) -> None:
    table = with_feet(table_of({1: walking(60, heading=-90)["joints"]}), -90.0 + turned)
    rig = motions_of(table)[0].rig
    world = rig.world_rotations()
    for foot in ("lfoot", "rfoot"):
        ahead = Rotation.from_quat(world[:, JOINTS.index(foot)]).apply((0, 0, 1))
        heading = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 2]))
        assert np.median(heading) == pytest.approx(turned, abs=8)
    plain = motions_of(table_of({1: walking(60, heading=-90)["joints"]}))[0].rig.rotations
    feet = [JOINTS.index("lfoot"), JOINTS.index("rfoot")]
    assert np.array_equal(np.delete(rig.rotations, feet, 1), np.delete(plain, feet, 1))
