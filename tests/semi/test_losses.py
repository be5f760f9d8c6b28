import pytest
import torch

from videopose.lifting.skeleton import H36M17
from videopose.semi.losses import bone_error, pose_error, reprojection_error, trajectory_error

POSES = torch.randn(6, 4, 17, 3, generator=torch.Generator().manual_seed(0))


def test_everything_is_zero_at_the_truth() -> None:
    keypoints, weight = POSES[..., :2], torch.ones(6, 4, 17)
    assert pose_error(POSES, POSES) == 0
    assert trajectory_error(POSES[:, :, 0], POSES[:, :, 0] + 0) == 0
    assert reprojection_error(keypoints, keypoints, weight) == 0
    assert bone_error(POSES, POSES, H36M17.bones) == 0


def test_pose_error_is_mpjpe() -> None:
    moved = POSES + torch.tensor([0.3, 0.0, 0.4]) * (torch.arange(17) == 5)[:, None]
    assert float(pose_error(moved, POSES)) == pytest.approx(0.5 / 17)


def test_an_error_of_the_root_counts_by_the_inverse_of_the_true_depth() -> None:
    true = torch.tensor([[[0.0, 0.0, 2.0]], [[0.0, 0.0, 10.0]]])
    off = true + torch.tensor([0.0, 0.0, 1.0])
    assert float(trajectory_error(off, true)) == pytest.approx((1 / 2 + 1 / 10) / 2)


def test_what_was_not_seen_is_left_out() -> None:
    keypoints = POSES[..., :2]
    off = keypoints.clone()
    off[:, :, 3] += 100
    weight = torch.rand(6, 4, 17)
    weight[:, :, 3] = 0
    assert reprojection_error(off, keypoints, weight) == 0


def test_the_reprojection_error_is_a_mean_by_score() -> None:
    target = torch.zeros(1, 1, 2, 2)
    predicted = torch.tensor([[[[3.0, 4.0], [0.0, 1.0]]]])
    weight = torch.tensor([[[0.5, 1.0]]])
    assert float(reprojection_error(predicted, target, weight)) == pytest.approx((0.5 * 5 + 1) / 1.5)


def test_a_batch_in_which_nobody_was_seen_moves_nothing() -> None:
    predicted = torch.randn(2, 1, 3, 2, requires_grad=True)
    error = reprojection_error(predicted, torch.zeros(2, 1, 3, 2), torch.zeros(2, 1, 3))
    error.backward()
    assert error == 0
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_bones_are_compared_in_the_mean_only() -> None:
    """People of half the batch may move as they like, and differ among themselves."""
    turned = POSES.flip(-1)
    assert float(bone_error(POSES, turned, H36M17.bones)) == pytest.approx(0, abs=1e-6)
    halves = torch.cat([0.9 * POSES, 1.1 * POSES])
    assert float(bone_error(POSES, halves, H36M17.bones)) == pytest.approx(0, abs=1e-6)
    mean = torch.stack([(POSES[..., c, :] - POSES[..., p, :]).norm(dim=-1).mean() for c, p in H36M17.bones])
    assert float(bone_error(POSES, 1.1 * POSES, H36M17.bones)) == pytest.approx(0.1 * float(mean.mean()))
