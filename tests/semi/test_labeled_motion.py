from pathlib import Path

import numpy as np
import pytest
import torch

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.datasets.videopose3d_files import save_positions_3d
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.semi.labeled_motion import read_labeled
from videopose.semi.own_motion import own_motion
from videopose.semi.poses_to_motion import (
    bone_lengths,
    humaneva_to_h36m,
    motion_of,
    with_constant_bones,
    with_ears,
)
from videopose.semi.quality import bone_variation
from videopose.semi.spans import Span
from videopose.skeleton import COCO17, H36M17, HUMANEVA15


def test_a_table_and_a_folder_of_tables(motion: MotionCapture, tmp_path: Path) -> None:
    motion.save(tmp_path / "one.npz")
    motion.select([0]).save(tmp_path / "two.npz")
    (tmp_path / "data_2d_h36m_gt.npz").write_bytes(b"keypoints are of no use here")
    one, licence = read_labeled(tmp_path / "one.npz")
    assert (len(one), one.rate) == (2, 50)
    assert "--labeled" in licence
    both, _ = read_labeled(tmp_path)
    assert (len(both), both.subjects) == (3, ("a", "b", "a"))


def test_human36m_is_read_as_motion(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).normal((3, 4, 1), size=(1, 32, 3)).repeat(40, 0)
    people = {name: {"Walking": joints.astype(np.float32)} for name in ("S1", "S9")}
    save_positions_3d(tmp_path / "data_3d_h36m.npz", people)
    found, licence = read_labeled(tmp_path / "data_3d_h36m.npz")
    assert (found.subjects, found.rate, len(found.positions)) == (("S1",), 50, 40)  # S9 is to be measured on
    assert "commercial" in licence
    np.testing.assert_allclose(found.positions[0, 0, :2], 0, atol=1e-5)


def test_humaneva_is_read_as_motion_and_cut_where_the_capture_failed(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).normal(size=(30, 15, 3)).astype(np.float32)
    joints[10:12] = np.nan
    save_positions_3d(tmp_path / "data_3d_humaneva15.npz", {"Train/S1": {"Jog 1": joints}})
    found, licence = read_labeled(tmp_path)
    assert (found.lengths.tolist(), found.rate) == ([10, 18], 60)
    assert "research only" in licence


def test_nothing_labeled(tmp_path: Path, motion: MotionCapture) -> None:
    with pytest.raises(InputError, match="no motion capture in this folder"):
        read_labeled(tmp_path)
    motion.save(tmp_path / "a.npz")
    slow = MotionCapture(
        motion.positions, motion.lengths, 25, motion.names, motion.subjects, motion.actions, motion.sources
    )
    slow.save(tmp_path / "b.npz")
    with pytest.raises(UsageError, match="different frame rates"):
        read_labeled(tmp_path)


def test_ears_are_where_they_were(motion: MotionCapture) -> None:
    clip = motion.clip(0)
    np.testing.assert_allclose(with_ears(clip[:, :17]), clip, atol=0.03)
    mirrored = clip[:, [*H36M17.mirror, 18, 17]] * np.float32([1, -1, 1])
    turned = with_ears(clip[:, :17])[:, [*H36M17.mirror, 18, 17]] * np.float32([1, -1, 1])
    np.testing.assert_allclose(with_ears(mirrored[:, :17]), turned, atol=1e-5)


def test_bones_keep_their_lengths_and_directions(motion: MotionCapture) -> None:
    clip = motion.clip(0)[:, :17]
    noisy = clip + np.random.default_rng(0).normal(0, 0.02, clip.shape)
    even = with_constant_bones(noisy)
    spread, sides = bone_variation(even)
    assert spread == pytest.approx(0, abs=1e-4)
    assert sides == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(bone_lengths(even).mean(0), np.median(bone_lengths(noisy), 0), rtol=0.1)
    again = with_constant_bones(even)
    np.testing.assert_allclose(again, even, atol=1e-5)


def test_humaneva_has_all_limbs_and_a_face_that_looks_ahead(motion: MotionCapture) -> None:
    person = dict(zip(H36M17.names, np.moveaxis(motion.clip(0)[:, :17], 1, 0), strict=True))
    renamed = {"pelvis": "hip", "lankle": "lfoot", "rankle": "rfoot"}
    fifteen = np.stack([person[renamed.get(name, name)] for name in HUMANEVA15.names], 1)
    made = humaneva_to_h36m(fifteen)
    sides = [*H36M17.left, *H36M17.right]
    np.testing.assert_allclose(made[:, sides], motion.clip(0)[:, sides], atol=1e-6)
    nose, head = made[:, H36M17.index("nose")], made[:, H36M17.index("head")]
    assert (nose[:, 0] > head[:, 0] + 0.05).all()  # the person looks along x


def _span(frames: int, standing: np.ndarray) -> tuple[Span, Lifter]:
    """Somebody who stands five metres away, and a lifter that takes everybody to stand so."""
    pose = np.stack([standing[:17, 1], 0.93 - standing[:17, 2], -standing[:17, 0]], -1)
    camera = Intrinsics(1000.0, 1000.0, 500.0, 500.0)
    there = pose + np.array([0, 0, 5])
    pixels = there[:, :2] / there[:, 2:] * 1000 + 500
    coco = np.zeros((frames, 17, 3), np.float32)
    for number, name in enumerate(COCO17.names):
        joint = name.replace("ankle", "foot")
        coco[:, number, :2] = pixels[H36M17.index(joint if joint in H36M17.names else "nose")]
        coco[:, number, 2] = 1
    model = TemporalModel(filter_widths=(3,), channels=4).eval()
    model.shrink.weight.data.zero_()
    model.shrink.bias.data = torch.from_numpy(pose.flatten()).float()
    times = np.arange(frames) / 25
    span = Span("a.mp4", 3, coco, np.zeros(frames, bool), times, camera, (1000, 1000))
    return span, Lifter(model, "h36m17", "rays", 25)


def test_the_footages_own_motion_stands_in(motion: MotionCapture) -> None:
    span, lifter = _span(50, motion.clip(0)[0])
    made = own_motion([span], lifter)
    assert (made.subjects, made.rate, len(made)) == (("a.mp4 3",), 25, 1)
    assert made.positions.shape[0] == pytest.approx(50, abs=1)
    upright = made.positions[0, H36M17.index("head")] - made.positions[0, H36M17.index("hip")]
    assert upright[2] == pytest.approx(0.79, abs=0.05)
    assert bone_variation(made.positions[:, :17])[0] == pytest.approx(0, abs=1e-3)


def test_what_was_filled_does_not_stand_in(motion: MotionCapture) -> None:
    span, lifter = _span(50, motion.clip(0)[0])
    span.filled[20:25] = True
    assert len(own_motion([span], lifter)) == 2
    span.filled[::8] = True  # never half a second without
    with pytest.raises(InputError, match="no person is seen well enough"):
        own_motion([span], lifter)


def test_takes_begin_above_the_origin(motion: MotionCapture) -> None:
    made = motion_of([("x", "y", motion.clip(0)[:, :17] + [3, 2, 0.1])], 50, "somewhere")
    np.testing.assert_allclose(made.positions[0, 0], [0, 0, 1.03], atol=1e-5)
    with pytest.raises(InputError, match="no person to learn from"):
        motion_of([], 50, "somewhere")
