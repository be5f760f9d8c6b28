from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.rare_postures import make_rare_postures
from videopose.lifting.simulation.rare_postures.donor import (
    PARENTS,
    Donor,
    calm_clips,
    chest_axes,
    pelvis_axes,
)
from videopose.lifting.simulation.rare_postures.inverse_kinematics import two_bones, unit
from videopose.lifting.simulation.rare_postures.key_poses import Body, swapped
from videopose.lifting.simulation.rare_postures.lying import on_side
from videopose.lifting.simulation.rare_postures.sitting import on_chair

RATE = 50.0


def _person(frames: int, size: float, *, fallen: bool = False) -> NDArray[np.float32]:
    """(T, 19, 3): somebody who stands, sways, turns and swings their arms."""
    t = np.arange(frames) / RATE
    pelvis = Rotation.from_euler("ZY", np.stack([0.5 * np.sin(0.3 * t), 0.05 * np.sin(t)], -1))
    if fallen:
        pelvis = Rotation.from_euler("y", np.pi / 2) * pelvis
    chest = pelvis * Rotation.from_euler("ZY", np.stack([0.2 * np.sin(1.3 * t), 0.1 * np.sin(0.7 * t)], -1))
    offsets = {
        1: (0, -0.09, 0), 2: (0.02, 0, -0.4), 3: (-0.03, 0, -0.43), 4: (0, 0.09, 0), 5: (0.02, 0, -0.4),
        6: (-0.03, 0, -0.43), 7: (0, 0, 0.25), 8: (0, 0, 0.28), 9: (0.07, 0, 0.1), 10: (-0.03, 0, 0.1),
        11: (-0.02, 0.18, -0.02), 14: (-0.02, -0.18, -0.02), 17: (0, 0.075, 0.02), 18: (0, -0.075, 0.02),
    }  # fmt: skip
    out = np.zeros((frames, 19, 3))
    out[:, 0] = [0, 0, 0.92 * size]
    for joint in range(1, 19):
        if joint in (12, 13, 15, 16):
            swing = 0.5 * np.sin(2 * t + joint) - (0.3 if joint in (13, 16) else 0)
            bone = chest.apply(np.stack([-0.27 * np.sin(swing), 0 * t, -0.27 * np.cos(swing)], -1))
        else:
            bone = (pelvis if joint < 8 else chest).apply(offsets[joint])
        out[:, joint] = out[:, PARENTS[joint]] + size * bone
    return out.astype(np.float32)


@pytest.fixture(scope="module")
def donors() -> MotionCapture:
    clips = [_person(400, 1.0), _person(250, 0.85), _person(300, 1.0, fallen=True)]
    return MotionCapture(
        np.concatenate(clips), np.array([len(c) for c in clips]), RATE, ("tall", "short", "fallen"),
        ("1", "2", "3"), ("stand",) * 3, ("test",) * 3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(donors: MotionCapture) -> MotionCapture:
    return make_rare_postures(donors, minutes=6, seed=3)


def _flexion(positions: NDArray[np.float32], joints: tuple[int, int, int]) -> NDArray[np.float64]:
    a, b, c = (positions[:, j].astype(np.float64) for j in joints)
    return np.degrees(np.arccos(np.clip((unit(b - a) * unit(c - b)).sum(-1), -1, 1)))


def test_as_long_as_asked_and_of_every_kind(made: MotionCapture) -> None:
    assert 6 <= made.minutes < 7
    assert set(made.actions) == {
        "sitting", "sitting on the floor", "kneeling", "crouching", "lying", "crawling", "climbing",
        "push-ups", "lunging", "bending to the floor",
    }  # fmt: skip
    assert set(made.subjects) == {"made"}
    assert made.rate == RATE
    assert len(set(made.names)) == len(made)


def test_only_upright_calm_people_lend_their_arms(donors: MotionCapture, made: MotionCapture) -> None:
    assert calm_clips(donors).tolist() == [0, 1]
    assert not any("fallen" in s for s in made.sources)
    assert any("short (test)" in s for s in made.sources)
    assert calm_clips(donors.select([2])).tolist() == [0]


def test_the_same_seed_gives_the_same_motion(donors: MotionCapture) -> None:
    first, again, other = (make_rare_postures(donors, minutes=0.4, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.positions, again.positions)
    assert first.actions == again.actions
    assert not np.array_equal(first.positions[:100], other.positions[:100])
    with pytest.raises(ValueError, match="positive"):
        make_rare_postures(donors, minutes=0, seed=1)


def test_bones_are_the_donors_and_constant(donors: MotionCapture, made: MotionCapture) -> None:
    of = {name: Donor.of(donors.clip(i)).lengths for i, name in enumerate(donors.names)}
    for i in range(len(made)):
        clip = made.clip(i).astype(np.float64)
        lengths = np.linalg.norm(clip[:, 1:] - clip[:, list(PARENTS[1:])], axis=-1)
        donor = next(n for name, n in of.items() if name in made.sources[i])
        np.testing.assert_allclose(lengths, np.broadcast_to(donor[1:], lengths.shape), atol=2e-5)


def test_knees_and_elbows_bend_as_far_as_peoples_do(made: MotionCapture) -> None:
    for joints in ((1, 2, 3), (4, 5, 6)):
        assert 3 < _flexion(made.positions, joints).min() < _flexion(made.positions, joints).max() < 160
    for joints in ((11, 12, 13), (14, 15, 16)):
        assert 3 < _flexion(made.positions, joints).min() < _flexion(made.positions, joints).max() < 150


def test_knees_never_bend_backwards(made: MotionCapture) -> None:
    positions = made.positions.astype(np.float64)
    axes = pelvis_axes(positions)
    for side, (hip, knee, ankle) in ((1, (4, 5, 6)), (-1, (1, 2, 3))):
        along = unit(positions[:, ankle] - positions[:, hip])
        offset = positions[:, knee] - positions[:, hip]
        offset = axes.inv().apply(offset - (offset * along).sum(-1, keepdims=True) * along)
        bent = np.linalg.norm(offset, axis=-1) > 0.05
        # Forwards, upwards towards the belly, or, as for the cross-legged, outwards.
        assert (unit(offset) @ [1.0, 0.8 * side, 0.6])[bent].min() > 0


def test_elbows_never_bend_backwards(made: MotionCapture) -> None:
    """The forearm folds to the front of the upper arm: seldom does an elbow stand before or above the line
    from shoulder to wrist, as the chest sees it."""
    positions = made.positions.astype(np.float64)
    axes = chest_axes(positions)
    for side, (shoulder, elbow, wrist) in ((1, (11, 12, 13)), (-1, (14, 15, 16))):
        along = unit(positions[:, wrist] - positions[:, shoulder])
        offset = positions[:, elbow] - positions[:, shoulder]
        offset = axes.inv().apply(offset - (offset * along).sum(-1, keepdims=True) * along)
        bent = np.linalg.norm(offset, axis=-1) > 0.05
        assert ((unit(offset) @ [-0.5, 0.5 * side, -0.8])[bent] < -0.3).mean() < 0.02


def test_nothing_is_under_the_floor(made: MotionCapture) -> None:
    assert made.positions[..., 2].min() > -0.03
    # Nor does anybody who should rest on it hover.
    for i, action in enumerate(made.actions):
        if action not in ("climbing", "sitting"):
            assert made.clip(i)[..., 2].min(1).max() < 0.2


def test_the_hips_are_where_the_action_has_them(made: MotionCapture) -> None:
    bounds = {
        "sitting on the floor": (0.07, 0.2), "lying": (0.07, 0.3), "crawling": (0.25, 0.6),
        "push-ups": (0.1, 0.6), "sitting": (0.25, 0.95), "crouching": (0.15, 1.0), "kneeling": (0.15, 1.0),
    }  # fmt: skip
    for action, (low, high) in bounds.items():
        heights = np.concatenate([made.clip(i)[:, 0, 2] for i, a in enumerate(made.actions) if a == action])
        assert low < np.percentile(heights, 3) < np.percentile(heights, 90) < high, action


def test_feet_that_rest_do_not_slide(made: MotionCapture) -> None:
    slow = ("sitting", "crouching", "bending to the floor")
    clips = [made.clip(i)[:, [3, 6]] for i, a in enumerate(made.actions) if a in slow]
    steps = [np.linalg.norm(np.diff(c, axis=0), axis=-1).ravel() * RATE for c in clips]
    assert np.median(np.concatenate(steps)) < 0.01


def test_hands_and_knees_hold_the_floor_while_others_move(made: MotionCapture) -> None:
    crawls = [made.clip(i) for i, a in enumerate(made.actions) if a == "crawling"]
    for clip in crawls:
        assert np.linalg.norm(clip[-1, 0, :2] - clip[0, 0, :2]) > 0.3
        for joint, low in ((2, 0.08), (5, 0.08), (13, 0.085), (16, 0.085)):
            down = (clip[1:, joint, 2] < low) & (clip[:-1, joint, 2] < low)
            assert down.mean() > 0.3
            speed = np.linalg.norm(np.diff(clip[:, joint, :2], axis=0), axis=-1)[down] * RATE
            assert np.median(speed) < 0.1


def test_motion_is_as_smooth_as_peoples(made: MotionCapture) -> None:
    velocities, accelerations = [], []
    for i in range(len(made)):
        clip = made.clip(i).astype(np.float64)
        velocities.append(np.linalg.norm(np.diff(clip, axis=0), axis=-1).ravel() * RATE)
        accelerations.append(np.linalg.norm(np.diff(clip, 2, axis=0), axis=-1).ravel() * RATE**2)
    speed, push = np.concatenate(velocities), np.concatenate(accelerations)
    # Captured people in everyday motion: 2.0 and 13 at 95 %, 5.8 and 57 at 99.9 %.
    assert np.percentile(speed, 95) < 2.0
    assert np.percentile(speed, 99.9) < 5.8
    assert 1 < np.percentile(push, 95) < 13
    assert np.percentile(push, 99.9) < 57
    assert push.max() < 140


def test_no_two_clips_are_alike(made: MotionCapture) -> None:
    firsts = [made.clip(i)[0] for i, a in enumerate(made.actions) if a == "sitting"]
    assert len(firsts) > 2
    assert all(np.abs(a - b).max() > 0.02 for a, b in pairwise(firsts))


def test_a_made_table_is_saved_and_read(made: MotionCapture, tmp_path: Path) -> None:
    made.save(tmp_path / "made.npz", notice="made")
    back = MotionCapture.load(tmp_path / "made.npz")
    np.testing.assert_allclose(back.positions, made.positions, atol=6e-4)
    assert (back.actions, back.sources) == (made.actions, made.sources)


def test_a_donor_keeps_the_clips_bones_and_upper_body() -> None:
    clip = _person(200, 0.9).astype(np.float64)
    donor = Donor.of(clip.astype(np.float32))
    chest = pelvis_axes(clip) * Rotation.from_rotvec(donor.trunk)
    wrists = np.zeros((200, 2, 3))
    for side, chain in enumerate(((8, 11, 12, 13), (8, 14, 15, 16))):
        for joint in chain[1:]:
            wrists[:, side] += donor.lengths[joint] * chest.apply(donor.bones[:, joint - 8])
    np.testing.assert_allclose(wrists, clip[:, [13, 16]] - clip[:, [8]], atol=0.02)
    assert len(donor.paced(1000, 17.3, 0.8)) == 1000
    assert len(Donor.of(clip[:1].astype(np.float32)).paced(30, 0.0, 1.0)) == 30


def test_a_mirrored_pose_is_the_mirror_image() -> None:
    body, rng = Body(0.09, 0.4, 0.43, 0.5, 0.53), np.random.default_rng(0)
    for pose in (on_chair(body, rng, 0.45), on_side(body, rng)):
        other = swapped(pose)
        axes = np.diag([1.0, -1.0, 1.0])
        np.testing.assert_allclose(other.turn.as_matrix(), axes @ pose.turn.as_matrix() @ axes, atol=1e-9)
        bend = Rotation.from_rotvec(pose.bend).as_matrix()
        np.testing.assert_allclose(
            Rotation.from_rotvec(other.bend).as_matrix(), axes @ bend @ axes, atol=1e-9
        )
        np.testing.assert_allclose(other.feet, pose.feet[::-1] @ axes)
        back = swapped(other)
        np.testing.assert_allclose(back.feet, pose.feet)
        np.testing.assert_allclose(back.turn.as_matrix(), pose.turn.as_matrix())


def test_who_sits_on_an_ordinary_chair_has_feet_on_the_floor() -> None:
    body = Body(0.09, 0.4, 0.43, 0.5, 0.53)
    feet = []
    for seed in range(60):
        pose = on_chair(body, np.random.default_rng(seed), 0.42)
        assert pose.pelvis[2] == pytest.approx(0.51)
        hips = pose.pelvis + pose.turn.apply([[0, 0.09, 0], [0, -0.09, 0]])
        _, ankles = two_bones(hips, pose.feet, pose.turn.apply(pose.knees), (0.4, 0.43))
        feet.append(ankles[:, 2])
    assert (np.abs(np.array(feet) - 0.08) < 0.03).mean() > 0.8
