from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from standing import STILL
from videopose.errors import UsageError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.far_poses import aligned, far_frames
from videopose.lifting.evaluation.hidden_limbs import HIDDEN, joints_left, on_neighbours
from videopose.lifting.evaluation.scores import Sequence3D
from videopose.lifting.evaluation.windows import Windows, lift_windows, make_windows, score_windows
from videopose.lifting.evaluation.yardsticks import check_lifter, measure_far, measure_windows
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import H36M17

FRAMES = 60
LWRIST = H36M17.index("lwrist")


def _clip(turn: float = 0.0, raise_arm: float = 0.0) -> NDArray[np.float64]:
    """A person who sways; turned about the vertical, the left hand raised in the last third."""
    points = np.broadcast_to(STILL, (FRAMES, 19, 3)).copy()
    points[..., 0] += 0.02 * np.sin(np.arange(FRAMES) / 5)[:, None]
    points[FRAMES * 2 // 3 :, LWRIST, 2] += raise_arm
    c, s = np.cos(turn), np.sin(turn)
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def _table(*clips: NDArray[np.float64]) -> MotionCapture:
    return MotionCapture(
        np.concatenate(clips).astype(np.float32),
        np.array([FRAMES] * len(clips)),
        50.0,
        **{name: tuple("x" for _ in clips) for name in ("names", "subjects", "actions", "sources")},
    )


def _lifter(space: Any = "centred", **options: Any) -> Lifter:
    torch.manual_seed(0)
    features = 3 if space == "centred-visible" else 2
    shape = {"filter_widths": (3, 3), "channels": 16, "in_features": features} | options
    return Lifter(TemporalModel(**shape).eval(), "h36m17", space, 30.0)


def test_turned_and_mirrored_poses_are_not_far() -> None:
    here, there = aligned(_clip()), aligned(_clip(2.0))
    np.testing.assert_allclose(here, there, atol=1e-5)
    mirrored = _clip()[:, [*H36M17.mirror, 18, 17]] * [-1, 1, 1]
    training = [_table(_clip(1.0))]
    (far,) = far_frames(_table(mirrored), training, share=0.0)
    assert far.shape == (FRAMES,)


def test_unusual_poses_are_far() -> None:
    table = _table(_clip(0.7), _clip(raise_arm=0.5))
    still, unusual = far_frames(table, [_table(_clip())], share=1 / 6)
    assert not still.any()
    assert unusual.tolist() == [False] * 40 + [True] * 20


def test_far_frames_are_measured_alone() -> None:
    table = _table(_clip(raise_arm=0.5))
    pose = np.zeros((36, 17, 3), np.float32)
    wrong = pose.copy()
    wrong[24:, :, 0] = np.arange(17) / 100
    sequence = Sequence3D("x", "x", pose[..., :2], pose)
    found = measure_far(table, [_table(_clip())], [sequence], lambda rays: wrong, rate=30.0)
    assert found.count == 12
    assert found.mpjpe == pytest.approx(80)


@pytest.mark.parametrize(
    ("hidden", "count"), [("legs", 4), ("hips to feet", 8), ("one arm", 2)], ids=lambda v: str(v)
)
def test_which_joints_stay_visible(hidden: str, count: int) -> None:
    left = joints_left(hidden)
    assert int((~left).sum()) == count
    assert set(HIDDEN) == {"legs", "hips to feet", "one arm"}


def test_hidden_joints_are_put_on_their_neighbours() -> None:
    rays = torch.randn(5, 17, 2, generator=torch.manual_seed(0))
    placed = on_neighbours(rays, joints_left("legs"))
    hip, knee, foot = (H36M17.index(name) for name in ("lhip", "lknee", "lfoot"))
    assert torch.equal(placed[:, knee], rays[:, hip])
    assert torch.equal(placed[:, foot], rays[:, hip])
    assert torch.equal(placed[:, hip], rays[:, hip])


def test_windows_are_those_of_the_table() -> None:
    table = _table(_clip())
    windows = make_windows(table, _lifter(), severity=None, count=20)
    assert windows.keypoints.shape == (20, 9, 17, 2)
    assert bool(windows.visible.all())
    true = STILL[:17] - STILL[0]
    lengths = np.linalg.norm(true, axis=-1)
    np.testing.assert_allclose(windows.pose.norm(dim=-1), np.tile(lengths, (20, 1)), atol=2e-3)


def test_visible_joints_are_compared_about_their_own_mean() -> None:
    pose = torch.randn(3, 17, 3, generator=torch.manual_seed(0))
    visible = torch.ones(3, 1, 17, dtype=torch.bool)
    visible[..., :4] = False
    windows = Windows(torch.zeros(3, 1, 17, 2), visible, pose, 0)
    moved = pose.clone()
    moved[:, 4:] += torch.tensor([0.3, 0.0, 0.0])
    errors = score_windows(moved, windows)
    assert errors.visible == pytest.approx(0, abs=1e-3)
    assert errors.mpjpe == pytest.approx(300 * 13 / 17, rel=1e-4)


@pytest.mark.parametrize("space", ["centred", "centred-visible", "rays"])
def test_every_yardstick(space: Any) -> None:
    lifter = _lifter(space)
    lines = {each.name: each for each in measure_windows(_table(_clip()), lifter, severity=0.5, count=12)}
    assert len(lines) == 6
    assert lines["windows, everything visible"].visible is None
    assert lines["cameras at 0.5–1.2 m, cut off by the picture"].visible is not None
    for name in HIDDEN:
        assert lines[f"{name} hidden"].relative is not None
    assert all(np.isfinite([each.mpjpe, each.p_mpjpe]).all() for each in lines.values())


def test_flips_are_averaged() -> None:
    lifter = _lifter("centred-visible")
    windows = make_windows(_table(_clip()), lifter, severity=0.5, count=4).hiding(joints_left("one arm"))
    once, twice = (lift_windows(lifter, windows, flip=flip) for flip in (False, True))
    assert once.shape == twice.shape == (4, 17, 3)
    assert not torch.allclose(once, twice)


def test_other_lifters_are_refused() -> None:
    lifter = Lifter(TemporalModel(filter_widths=(3,), channels=8).eval(), "coco17", "screen", 30.0)
    with pytest.raises(UsageError, match="--yardsticks takes a lifter that reads h36m17"):
        check_lifter(lifter)
