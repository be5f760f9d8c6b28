"""Check that a human body can take recombined poses."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .body_frames import pelvis_axes, thorax_axes

# Joints as of the motion bank.
_LEGS = ((1, 2, 3), (4, 5, 6))
_ARMS = ((14, 15, 16), (11, 12, 13))
_OUTWARDS = (-1.0, 1.0)  # along the axis to the left, for the right side and the left

_TRUNK_RADIUS = 0.09  # metres about the line from hip to thorax; captured hands touch the body at 0.12
_HEAD_RADIUS = 0.10
_LEGS_APART = 0.05

# Least components of a thigh's and an upper arm's direction along the axes of pelvis and thorax.
_THIGH_BACK = -math.sin(math.radians(50))
_THIGH_OUT = math.sin(math.radians(75))
_THIGH_IN = -math.sin(math.radians(40))
_ARM_BACK = -math.sin(math.radians(65))
_ARM_IN_BEHIND = -math.sin(math.radians(25))
_ARM_IN = -math.sin(math.radians(70))


def plausible_legs(points: Tensor) -> Tensor:
    """Check the hips' limits, and that the legs do not pass through each other.

    Args:
        points: (N, F, 22, 3) world coordinates, metres.

    Returns:
        (N,) bool: whether the legs of every frame are plausible.
    """
    pelvis = pelvis_axes(points)
    good = _legs_apart(points) > _LEGS_APART
    for side, (hip, knee, _) in zip(_OUTWARDS, _LEGS, strict=True):
        out, ahead, up = _along(points[:, :, knee] - points[:, :, hip], pelvis)
        out = side * out
        good &= (ahead > _THIGH_BACK) & (out > _THIGH_IN) & ((out < _THIGH_OUT) | (ahead > 0.3))
        good &= up < 0.75  # a knee is not drawn up along the trunk
    return good.all(1)


def plausible_arms(points: Tensor) -> Tensor:
    """Check the shoulders' limits, and that the arms do not pass through trunk and head.

    As `plausible_legs`: (N, F, 22, 3) → (N,) bool.
    """
    thorax = thorax_axes(points)
    good = points.new_ones(points.shape[:2], dtype=torch.bool)
    for side, (shoulder, elbow, wrist) in zip(_OUTWARDS, _ARMS, strict=True):
        out, ahead, _ = _along(points[:, :, elbow] - points[:, :, shoulder], thorax)
        out = side * out
        good &= (ahead > _ARM_BACK) & (out > _ARM_IN) & ((out > _ARM_IN_BEHIND) | (ahead > 0))
        for joint in (elbow, wrist):
            place = points[:, :, joint]
            good &= _distance(place, points[:, :, 0], points[:, :, 8]) > _TRUNK_RADIUS
        good &= _distance(points[:, :, wrist], points[:, :, 9], points[:, :, 10]) > _HEAD_RADIUS
    return good.all(1)


def _along(bone: Tensor, axes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A bone's direction (N, F, 3) by its components along three axes, each (N, F)."""
    direction = bone / bone.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    forward, left, up = (direction[..., None] * axes).sum(-2).unbind(-1)
    return left, forward, up


def _distance(point: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """(N, F) metres from points to the line segments from `start` to `end`."""
    line = end - start
    share = ((point - start) * line).sum(-1) / line.square().sum(-1).clamp(min=1e-6)
    return (point - start - share.clamp(0, 1)[..., None] * line).norm(dim=-1)


def _legs_apart(points: Tensor) -> Tensor:
    """(N, F) metres between knees, ankles and the middles of the shanks and the other leg's shank."""
    (_, rknee, rfoot), (_, lknee, lfoot) = _LEGS
    least = None
    for (knee, foot), (other_knee, other_foot) in (
        ((rknee, rfoot), (lknee, lfoot)),
        ((lknee, lfoot), (rknee, rfoot)),
    ):
        start, end = points[:, :, other_knee], points[:, :, other_foot]
        for share in (0.0, 0.5, 1.0):
            place = torch.lerp(points[:, :, knee], points[:, :, foot], share)
            distance = _distance(place, start, end)
            least = distance if least is None else torch.minimum(least, distance)
    assert least is not None
    return least
