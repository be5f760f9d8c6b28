"""The losses of semi-supervised training (paper, §4), and the registry that training and configuration read.

A new loss is a function, here or in a file of its own, and a line in `LABELED_LOSSES` or `UNLABELED_LOSSES`.
All losses are means. They are zero if the prediction is exact. Lengths are in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from .projection import project

Bones = Sequence[tuple[int, int]]
"""(child, parent) pairs of joints."""


def pose_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the MPJPE of labeled poses (N, T, J, 3)."""
    return (predicted - true).norm(dim=-1).mean()


def trajectory_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the WMPJPE (§4, "trajectory model") of labeled roots (N, T, 3).

    Errors are weighted by 1 / (true depth), because the image determines the position of distant people less
    exactly.
    """
    return ((predicted - true).norm(dim=-1) / true[..., 2]).mean()


def reprojection_error(predicted: Tensor, keypoints: Tensor, weight: Tensor) -> Tensor:
    """Return the mean distance between projected joints and keypoints (N, T, J, 2), weighted by (N, T, J).

    It is 0 if all weights are.
    """
    distance = (predicted - keypoints).norm(dim=-1)
    return (weight * distance).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def bone_error(labeled: Tensor, unlabeled: Tensor, bones: Bones) -> Tensor:
    """Return the mean difference of mean bone lengths between labeled and unlabeled poses, in metres (§4).

    Both `labeled` and `unlabeled` are predicted poses (N, T, J, 3).
    """
    return (_mean_lengths(labeled, bones) - _mean_lengths(unlabeled, bones)).abs().mean()


def bone_consistency(poses: Tensor, person: Tensor, bones: Bones) -> Tensor:
    """Return the mean deviation of bone lengths from their mean over all samples of the same person, in
    metres.

    This loss is not in the paper. The paper's bone loss constrains mean lengths only, so a bone may be short
    in one frame and long in the next. A known bone length and a known projection determine the difference in
    depth between the ends of the bone, except for its sign.

    Args:
        poses: (N, T, J, 3) predicted poses.
        person: (N,) numbers that are equal for samples of the same person.
        bones: The bones to compare.
    """
    length = lengths(poses, bones)
    same = (person[:, None] == person).to(length)
    mean = same @ length.mean(1) / same.sum(1, keepdim=True)
    return (length - mean[:, None]).abs().mean()


def _mean_lengths(poses: Tensor, bones: Bones) -> Tensor:
    return lengths(poses, bones).flatten(0, -2).mean(0)


def lengths(poses: Tensor, bones: Bones) -> Tensor:
    """Return the lengths of the bones of poses (…, J, 3): (…, B), in the poses' unit."""
    child, parent = (list(ends) for ends in zip(*bones, strict=True))
    return (poses[..., child, :] - poses[..., parent, :]).norm(dim=-1)


@dataclass(frozen=True)
class LabeledHalf:
    """The values that the losses of labeled samples compare.

    Attributes:
        pose: (N, T, J, 3) predicted poses.
        true_pose: (N, T, J, 3) true poses.
        root: (N, T, 3) predicted roots.
        true_root: (N, T, 3) true roots, in the space of the predicted ones.
    """

    pose: Tensor
    true_pose: Tensor
    root: Tensor
    true_root: Tensor


@dataclass(frozen=True)
class UnlabeledHalf:
    """The values that the losses of unlabeled samples compare.

    Attributes:
        pose: (N, T, J, 3) predicted poses, root at 0.
        placed: (N, T, S, 3) the predicted joints that have keypoints, in camera space.
        labeled_pose: (M, T, J, 3) the poses that are predicted for the labeled half.
        keypoints: (N, T, S, 2) keypoints.
        weight: (N, T, S) the weight of each keypoint, 0–1.
        camera: (N, 14) the cameras' `Lens.parameters`.
        person: (N,) numbers that are equal for samples of the same person.
        bones: The bones of the poses.
    """

    pose: Tensor
    placed: Tensor
    labeled_pose: Tensor
    keypoints: Tensor
    weight: Tensor
    camera: Tensor
    person: Tensor
    bones: Bones


Half = TypeVar("Half")


@dataclass(frozen=True)
class Loss(Generic[Half]):
    """A loss of one half of the batch, and its default weight."""

    compute: Callable[[Half], Tensor]
    weight: float


LABELED_LOSSES: dict[str, Loss[LabeledHalf]] = {
    "pose": Loss(lambda half: pose_error(half.pose, half.true_pose), 1.0),
    "trajectory": Loss(lambda half: trajectory_error(half.root, half.true_root), 1.0),
}
UNLABELED_LOSSES: dict[str, Loss[UnlabeledHalf]] = {
    "reprojection": Loss(
        lambda half: reprojection_error(project(half.placed, half.camera), half.keypoints, half.weight), 1.0
    ),
    "bones": Loss(lambda half: bone_error(half.labeled_pose, half.pose, half.bones), 1.0),
    "bone_consistency": Loss(lambda half: bone_consistency(half.pose, half.person, half.bones), 0.0),
}
