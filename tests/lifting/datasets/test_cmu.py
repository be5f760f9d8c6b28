from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError
from videopose.lifting.datasets.cmu import (
    TABLE_RATE,
    UNIT,
    Clip,
    clean_clips,
    clean_spans,
    clip_name,
    drop_duplicates,
    read_index,
    resample,
    table_joints,
    to_table,
)
from videopose.lifting.datasets.joint_angles import Motion
from videopose.lifting.datasets.motion_capture import STORED_JOINTS, MotionCapture

# A made-up person: bone, parent, from its near to its far end (metres, y up, left at +x, facing +z), the
# joint of the BVH conversion at its far end and the one at its near end.
BONES = [
    ("lhipjoint", "root", (0.09, -0.05, 0.0), "LeftUpLeg"),
    ("lfemur", "lhipjoint", (0.02, -0.40, 0.0), "LeftLeg"),
    ("ltibia", "lfemur", (0.0, -0.42, -0.02), "LeftFoot"),
    ("rhipjoint", "root", (-0.09, -0.05, 0.0), "RightUpLeg"),
    ("rfemur", "rhipjoint", (-0.02, -0.40, 0.0), "RightLeg"),
    ("rtibia", "rfemur", (0.0, -0.42, -0.02), "RightFoot"),
    ("lowerback", "root", (0.0, 0.11, -0.01), "Spine"),
    ("upperback", "lowerback", (0.0, 0.115, 0.0), "Spine1"),
    ("thorax", "upperback", (0.0, 0.115 * 1.01, 0.0), "Neck"),
    ("lowerneck", "thorax", (0.0, 0.08, 0.01), "Neck1"),
    ("upperneck", "lowerneck", (0.0, 0.09, 0.01), "Head"),
    ("head", "upperneck", (0.0, 0.10, 0.0), "Head_end"),
    ("lclavicle", "thorax", (0.19, 0.03, 0.0), "LeftArm"),
    ("lhumerus", "lclavicle", (0.29, 0.0, 0.0), "LeftForeArm"),
    ("lradius", "lhumerus", (0.18, 0.0, 0.0), "LeftHand"),
    ("rclavicle", "thorax", (-0.19, 0.03, 0.0), "RightArm"),
    ("rhumerus", "rclavicle", (-0.29, 0.0, 0.0), "RightForeArm"),
    ("rradius", "rhumerus", (-0.18, 0.0, 0.0), "RightHand"),
]
STAND = 0.9  # the root's height


def _asf(frames: int = 241, sway: float = 0.0, rate: float = 120.0, speed: float = 1.0) -> Motion:
    """Walks along +z at `speed` m/s; `sway` scales every bone's turns (radians)."""
    time = np.arange(frames) / rate
    phases = np.random.default_rng(0).uniform(0, 6, (len(BONES), 3))
    place = {"root": np.stack([0 * time, STAND + 0 * time, speed * time], -1)}
    turn = {"root": Rotation.from_rotvec(sway * np.stack([0 * time, np.sin(time), 0 * time], -1))}
    for (bone, parent, vector, _), phase in zip(BONES, phases, strict=True):
        turn[bone] = turn[parent] * Rotation.from_rotvec(sway * np.sin(2 * time[:, None] + phase))
        place[bone] = place[parent] + turn[bone].apply(vector)
    names = ("root", *(b[0] for b in BONES))
    parents = (-1, *(names.index(b[1]) for b in BONES))
    positions = np.stack([place[n] for n in names], 1)
    return Motion(names, parents, positions, np.stack([turn[n].as_matrix() for n in names], 1), rate)


def _bvh(asf: Motion, *, thorax: bool = False) -> Motion:
    """The same motion as the conversion gives it: joints at the bones' near ends, a T-pose first, and, unless
    asked for, no thorax bone."""
    lost = np.zeros((len(asf), 3)) if thorax else asf.position("thorax") - asf.position("upperback")
    children = {b: next((c[0] for c in BONES if c[1] == b), b) for b, *_ in BONES}
    below = {
        "root",
        "lowerback",
        "upperback",
        *(b[0] for b in BONES if b[0][1:] in ("hipjoint", "femur", "tibia")),
    }
    names, positions, rotations = ["Hips"], [asf.position("root")], [asf.rotation("root")]
    for bone, _, _, joint in BONES:
        names.append(joint)
        positions.append(asf.position(bone) - (0 if bone in below else lost))
        rotations.append(asf.rotation(children[bone]))
    places, turns = np.stack(positions, 1), np.stack(rotations, 1)
    first = places[:1] + np.array([5.0, 0, 0])  # the T-pose, elsewhere
    parents = (-1,) + (0,) * len(BONES)
    return Motion(
        tuple(names), parents, np.concatenate([first, places]), np.concatenate([turns[:1], turns]), asf.rate
    )


def _joint(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, STORED_JOINTS.index(name)]


def test_the_joints_of_one_who_stands() -> None:
    joints = table_joints(_asf(speed=0))
    assert joints.shape == (241, 19, 3)
    expected = {  # left, backwards, up
        "hip": (0, 0, STAND - 0.05),
        "lhip": (0.09, 0, STAND - 0.05),
        "rknee": (-0.11, 0, STAND - 0.45),
        "lfoot": (0.11, 0.02, STAND - 0.87),
        "spine": (0, 0.01, STAND + 0.11 + 0.35 * 0.115),
        "thorax": (0, 0.0, STAND + 0.11 + 0.115 * 2.01 + 0.08),
        "lshoulder": (0.19, 0.01, STAND + 0.11 + 0.115 * 2.01 + 0.03),
        "lelbow": (0.48, 0.01, STAND + 0.11 + 0.115 * 2.01 + 0.03),
        "lwrist": (0.48 + 1.4 * 0.18, 0.01, STAND + 0.11 + 0.115 * 2.01 + 0.03),
        "rwrist": (-0.48 - 1.4 * 0.18, 0.01, STAND + 0.11 + 0.115 * 2.01 + 0.03),
        "head": (0, -0.01, STAND + 0.11 + 0.115 * 2.01 + 0.17 + 0.12),
    }
    for name, place in expected.items():
        np.testing.assert_allclose(_joint(joints, name)[0], place, atol=1e-9, err_msg=name)
    # The face: 6.5 cm before the top of the neck on a head of that size, and looking up by 12 degrees.
    neck = np.array([0, -0.01, STAND + 0.11 + 0.115 * 2.01 + 0.17])
    leg = np.hypot(0.02, 0.40) + np.hypot(0.42, 0.02)
    nose = (_joint(joints, "nose")[0] - neck) / (leg / 0.84)
    assert np.hypot(nose[1], nose[2]) == pytest.approx(np.hypot(0.065, 0.010))
    assert nose[1] < 0
    assert np.rad2deg(np.arctan2(nose[2], -nose[1]) - np.arctan2(0.010, 0.065)) == pytest.approx(12)
    left, right = (_joint(joints, name)[0] for name in ("lear", "rear"))
    np.testing.assert_allclose(left - right, [0.15 * leg / 0.84, 0, 0], atol=1e-9)


def test_the_conversion_to_bvh_is_mended() -> None:
    asf = _asf(sway=0.2)
    expected = table_joints(asf)
    np.testing.assert_allclose(table_joints(_bvh(asf)), expected, atol=1e-6)
    np.testing.assert_allclose(table_joints(_bvh(asf, thorax=True)), expected, atol=1e-9)


def test_another_skeleton_is_refused() -> None:
    asf = _asf()
    names = tuple("LeftUpLeg" if n == "ltibia" else n for n in asf.names)
    with pytest.raises(InputError, match="not CMU's skeleton"):
        table_joints(Motion(names, asf.parents, asf.positions, asf.rotations, 120))
    names = tuple("toe" if n == "ltibia" else n for n in asf.names)
    with pytest.raises(InputError, match="no ltibia"):
        table_joints(Motion(names, asf.parents, asf.positions, asf.rotations, 120))


def test_a_clean_clip_at_fifty_frames_a_second_begins_above_the_origin() -> None:
    (clip,) = clean_clips(_asf(speed=1.2), "07_01", "07")
    assert (clip.name, clip.subject) == ("07_01", "07")
    assert len(clip.positions) == 101  # 2 s, both ends
    np.testing.assert_allclose(clip.positions[0, 0], [0, 0, STAND - 0.05], atol=1e-9)
    np.testing.assert_allclose(clip.positions[50, 0], [0, -1.2, STAND - 0.05], atol=1e-6)


def test_salsa_was_captured_at_sixty() -> None:
    (clip,) = clean_clips(_asf(), "60_03", "60")
    assert len(clip.positions) == 201


def _with_leap(frame: int, joint: slice, metres: float, frames: int = 361) -> Motion:
    asf = _asf(frames)
    positions = asf.positions.copy()
    positions[frame:, joint] += [metres, 0, 0]
    return Motion(asf.names, asf.parents, positions, asf.rotations, asf.rate)


def test_clips_are_cut_where_something_leaps() -> None:
    clips = clean_clips(_with_leap(180, slice(None), 0.8), "07_01", "07")
    assert [c.name for c in clips] == ["07_01#0", "07_01#1"]
    for clip in clips:
        assert len(clip.positions) > 60
        np.testing.assert_allclose(clip.positions[0, 0, :2], 0, atol=1e-9)
        assert np.linalg.norm(np.diff(clip.positions, axis=0), axis=-1).max() * TABLE_RATE < 14
    # What is left after a leap near the end is too short.
    (only,) = clean_clips(_with_leap(300, slice(None), 0.8), "07_01", "07")
    assert only.name == "07_01"
    assert 100 < len(only.positions) < 126


def test_speed_limits() -> None:
    still = np.zeros((200, 19, 3))
    for joint, metres, pieces in ((0, 0.15, 1), (0, 0.17, 2), (5, 0.27, 1), (5, 0.29, 2)):
        moved = still.copy()
        moved[100:, joint, 0] = metres  # in a fiftieth of a second: the hip 8 m/s at most, others 14
        assert len(clean_spans(moved, 50)) == pieces


def test_short_clips_and_far_ones_are_dropped() -> None:
    assert clean_clips(_asf(100), "07_01", "07") == []
    assert clean_clips(_asf(2), "07_01", "07") == []
    assert clean_clips(_asf(120 * 6, speed=6), "09_01", "09") == []


def test_resampling_keeps_time() -> None:
    time = np.arange(241) / 120
    wave = np.stack([np.sin(3 * time), np.cos(2 * time)], -1)
    fifty = resample(wave, 120, 50)
    expected = np.arange(101) / 50
    np.testing.assert_allclose(fifty, np.stack([np.sin(3 * expected), np.cos(2 * expected)], -1), atol=1e-6)


def test_the_same_motion_under_two_names_is_kept_once() -> None:
    one = clean_clips(_asf(sway=0.3), "07_01", "07")[0]
    again = Clip("cmu_07_01_copy", "07", one.positions[:-1] + 0.001)
    other = clean_clips(_asf(sway=0.1), "07_02", "07")[0]
    kept, dropped = drop_duplicates([one, again, other])
    assert [c.name for c in kept] == ["07_01", "07_02"]
    assert dropped == [("cmu_07_01_copy", "07_01")]


def test_a_table_of_clips(tmp_path: Path) -> None:
    clips = clean_clips(_with_leap(180, slice(None), 0.8), "07_01", "07") + clean_clips(_asf(), "08_02", "08")
    actions = read_index("Subject #7 (walk)\n\n07_01\twalk\n  08_02   brisk walk, turn \n")
    assert actions == {"07_01": "walk", "08_02": "brisk walk, turn"}
    table = to_table(clips, source="here", actions=actions)
    table.save(tmp_path / "cmu", notice="thanks")  # a name without .npz stays as it is
    back = MotionCapture.load(tmp_path / "cmu")
    assert back.names == ("07_01#0", "07_01#1", "08_02")
    assert back.subjects == ("07", "07", "08")
    assert back.actions == ("walk", "walk", "brisk walk, turn")
    assert back.sources == ("here",) * 3
    assert back.rate == 50
    np.testing.assert_allclose(back.positions, table.positions, atol=5.1e-4)
    with pytest.raises(InputError, match="expected at least one clean span"):
        to_table([], source="here", actions={})


def test_clips_names() -> None:
    assert clip_name("07_01") == ("07_01", "07")
    assert clip_name("cmu_131_02") == ("131_02", "131")
    assert clip_name("07_01_Char00") == ("07_01", "07")
    for stem in ("walk", "7_1", "1_07"):
        with pytest.raises(InputError, match="not named after a clip"):
            clip_name(stem)


def test_the_unit_is_that_of_the_skeleton_files() -> None:
    assert pytest.approx(0.0564444, abs=1e-6) == UNIT
