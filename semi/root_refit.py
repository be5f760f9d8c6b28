"""Fit the roots of a stretch anew to poses that have changed, while a lifter is adapted."""

from __future__ import annotations

import torch
from torch import Tensor

from .clip_batches import Stretch
from .spans import COMPARED

_TIE = 0.02  # weight of the starting root; a certain keypoint has 1
_SMOOTH = 10.0  # weight of the second difference of successive roots


@torch.no_grad()
def refit_root(pose: Tensor, stretch: Stretch) -> Tensor:
    """Return the roots (T, 3) that bring poses (T, 17, 3) closest to the stretch's keypoints, metres.

    With the pose known, the pinhole equations x = (X + Tx) / (Z + Tz) are linear in the root T. All frames
    are solved together. The roots are held to those of the starting lifter, and changes of their velocity
    are penalised. The result has no gradient.
    """
    count = len(pose)
    points, rays, weight = pose[:, list(COMPARED)].detach(), stretch.target, stretch.weight**2
    offset = rays * points[..., 2:] - points[..., :2]
    normal = torch.eye(3).to(pose).expand(*rays.shape[:2], 3, 3).clone()
    normal[..., :2, 2] = normal[..., 2, :2] = -rays
    normal[..., 2, 2] = rays.square().sum(-1)
    right = torch.cat([offset, -(rays * offset).sum(-1, keepdim=True)], -1)
    frame = torch.arange(count, device=pose.device)
    system = pose.new_zeros(count, 3, count, 3)
    system[frame, :, frame, :] = (weight[..., None, None] * normal).sum(1) + _TIE * torch.eye(3).to(pose)
    smooth = _SMOOTH * _squared_second_differences(stretch.frames).to(pose)
    for axis in range(3):
        system[:, axis, :, axis] += smooth
    towards = (weight[..., None] * right).sum(1) + _TIE * stretch.root
    return torch.linalg.solve(system.view(3 * count, -1), towards.view(-1)).view(count, 3)


def _squared_second_differences(frames: Tensor) -> Tensor:
    """Return DᵀD (T, T) of the second differences D, without those across a gap between frames."""
    successive = (frames[2:] - frames[:-2] == 2).float()[:, None]
    steps = torch.eye(len(frames), device=frames.device).diff(n=2, dim=0) * successive
    return steps.T @ steps
