from dataclasses import replace

import torch

from videopose.semi.clip_batches import Stretch
from videopose.semi.root_refit import refit_root
from videopose.semi.spans import COMPARED


def _stretch(frames: int, *, gap: int = 0) -> tuple[torch.Tensor, Stretch]:
    """Poses, and a stretch with exact keypoints of people who walk away from the camera."""
    generator = torch.Generator().manual_seed(0)
    pose = 0.3 * torch.randn(frames, 17, 3, generator=generator)
    pose[:, 0] = 0
    root = torch.tensor([0.2, -0.1, 4.0]) + torch.arange(frames)[:, None] * torch.tensor([0.0, 0.0, 0.02])
    placed = (pose + root[:, None])[:, list(COMPARED)]
    numbers = torch.arange(frames)
    numbers[frames // 2 :] += gap
    empty = torch.empty(frames, 0)
    weight = torch.ones(frames, len(COMPARED))
    target = placed[..., :2] / placed[..., 2:]
    return pose, Stretch(empty, numbers, None, target, weight, root, pose, empty, torch.zeros(frames))


def test_true_roots_stay() -> None:
    pose, stretch = _stretch(8)
    torch.testing.assert_close(refit_root(pose, stretch), stretch.root, atol=1e-4, rtol=0)


def test_wrong_roots_move_towards_the_true_ones() -> None:
    pose, true = _stretch(8)
    wrong = replace(true, root=true.root + torch.tensor([0.3, 0.0, 0.3]))
    off = (refit_root(pose, wrong) - true.root).abs().mean(0)
    assert off[0] < 0.01
    assert off[2] < 0.1
    assert not refit_root(pose.requires_grad_(), wrong).requires_grad


def test_frames_without_keypoints_continue_the_path() -> None:
    pose, stretch = _stretch(9)
    stretch.weight[4] = 0
    wrong = stretch.root.clone()
    wrong[4] += 1
    off = refit_root(pose, replace(stretch, root=wrong)) - stretch.root
    assert off.norm(dim=1).max() < 0.05


def test_people_after_one_another_do_not_affect_each_other() -> None:
    for gap in (0, 5):
        pose, stretch = _stretch(8, gap=gap)
        moved = stretch.target.clone()
        moved[4:] += 0.5
        off = (refit_root(pose, replace(stretch, target=moved)) - stretch.root)[:4].abs().max()
        assert (off < 1e-4) == bool(gap)
