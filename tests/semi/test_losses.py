import pytest
import torch

from videopose.semi.losses import (
    bone_consistency,
    bone_error,
    pose_error,
    reprojection_error,
    trajectory_error,
)
from videopose.skeleton import H36M17

POSES = torch.randn(6, 4, 17, 3, generator=torch.Generator().manual_seed(0))


def test_everything_is_zero_at_the_truth() -> None:
    keypoints, weight = POSES[..., :2], torch.ones(6, 4, 17)
    assert pose_error(POSES, POSES) == 0
    assert trajectory_error(POSES[:, :, 0], POSES[:, :, 0] + 0) == 0
    assert reprojection_error(keypoints, keypoints, weight) == 0
    assert bone_error(POSES, POSES, H36M17.bones) == 0
    still = POSES[:1, :1].expand(6, 4, 17, 3)
    assert float(bone_consistency(still, torch.zeros(6), H36M17.bones)) == pytest.approx(0, abs=1e-6)


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


def test_everybody_keeps_bones_of_their_own() -> None:
    """Two people of different size, who turn about; then one of them is larger in one of four samples."""
    pose = POSES[0, 0]
    angle = torch.linspace(0, 3, 6)[:, None]
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(6, 2, 2)
    moving = torch.cat([torch.einsum("nij,kj->nki", turn, pose[:, :2]), pose[:, 2:].expand(6, 17, 1)], -1)
    size = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.7, 0.7])
    poses, person = (size[:, None, None] * moving)[:, None], torch.tensor([5, 5, 5, 5, 2, 2])
    assert float(bone_consistency(poses, person, H36M17.bones)) == pytest.approx(0, abs=1e-6)

    poses[0] *= 1.4  # 0.4 of a bone above the others, and 0.3 of it above the mean, which is 0.1 above them
    mean = torch.stack([(pose[c] - pose[p]).norm() for c, p in H36M17.bones]).mean()
    expected = (0.3 + 3 * 0.1) / 6 * float(mean)
    assert float(bone_consistency(poses, person, H36M17.bones)) == pytest.approx(expected)


def test_a_person_seen_once_and_poses_of_one_point_move_nothing() -> None:
    poses = torch.zeros(3, 2, 17, 3, requires_grad=True)
    error = bone_consistency(poses, torch.arange(3), H36M17.bones)
    error.backward()
    assert error == 0
    assert poses.grad is not None
    assert torch.isfinite(poses.grad).all()
