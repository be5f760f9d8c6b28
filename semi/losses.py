"""The losses of semi-supervised training (paper §4). All are means, zero at the truth; lengths in metres."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def pose_error(predicted: Tensor, true: Tensor) -> Tensor:
    """MPJPE, on labelled poses (N, T, J, 3)."""
    return (predicted - true).norm(dim=-1).mean()


def trajectory_error(predicted: Tensor, true: Tensor) -> Tensor:
    """WMPJPE (§4, "trajectory model"), on labelled roots (N, T, 3): errors count by 1/z of the true depth,
    for the further away somebody is, the less a picture tells of where."""
    return ((predicted - true).norm(dim=-1) / true[..., 2]).mean()


def reprojection_error(predicted: Tensor, keypoints: Tensor, weight: Tensor) -> Tensor:
    """Distance between projected joints and keypoints (N, T, J, 2), a mean by weight (N, T, J).

    0 where nothing has any weight.
    """
    distance = (predicted - keypoints).norm(dim=-1)
    return (weight * distance).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def bone_error(labelled: Tensor, unlabelled: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    """How far the mean length of each bone among unlabelled poses is from that among labelled ones.

    Poses (N, T, J, 3), as predicted. bones: (child, parent) pairs.
    """
    return (_mean_lengths(labelled, bones) - _mean_lengths(unlabelled, bones)).abs().mean()


def spread_error(poses: Tensor, person: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    """How far bones are from the mean length that the same person's have in other samples.

    Not the paper's, whose mean lengths leave bones free to be short in one frame and long in the next. Of a
    bone whose length and projection are known, one end tells the other's depth, but for its sign.

    Poses (N, T, J, 3), as predicted. person: (N,), equal where people are the same. bones: (child, parent)
    pairs.
    """
    lengths = _lengths(poses, bones)
    same = (person[:, None] == person).to(lengths)
    mean = same @ lengths.mean(1) / same.sum(1, keepdim=True)
    return (lengths - mean[:, None]).abs().mean()


def _mean_lengths(poses: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    return _lengths(poses, bones).flatten(0, -2).mean(0)


def _lengths(poses: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    child, parent = (list(ends) for ends in zip(*bones, strict=True))
    return (poses[..., child, :] - poses[..., parent, :]).norm(dim=-1)
