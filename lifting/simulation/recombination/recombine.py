"""Recombine windows of captured motion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..config import RecombinationConfig
from .body_frames import from_rotation_vectors, pelvis_axes, product, rotate, thorax_axes
from .plausible import plausible_arms, plausible_legs

_LOWER = slice(1, 7)
_UPPER = slice(7, 22)  # spine, thorax, head, arms and face
_ARMS = ((14, slice(15, 17)), (11, slice(12, 14)))  # shoulder; elbow and wrist
_LEGS = ((1, slice(2, 4)), (4, slice(5, 7)))  # hip; knee and ankle
_ANKLES = (3, 6)

_LEAST_HIP_HEIGHT = 0.6  # metres; people lower than this sit, kneel or lie
_LEAST_UPRIGHT = 0.5  # cosine of the angle between trunk and upright
_CHECKED = 8  # of so many frames one is checked for plausibility
_GRAVITY = 9.81


def recombine(
    windows: Tensor, config: RecombinationConfig, generator: torch.Generator, *, target: int, rate: float
) -> Tensor:
    """Recombine and turn the bodies of some upright people.

    Windows are sampled independently of each other. Therefore their positions in the batch decide which
    windows are changed, and which windows the limbs are taken from. Implausible legs and upper bodies are not
    replaced.

    Args:
        windows: (N, F, 66), the motion bank's 22 points, world coordinates, metres, z up.
        config: How much is changed.
        generator: Random numbers, on the device of `windows`.
        target: The frame at which people must be upright.
        rate: Frames a second.

    Returns:
        (N, F, 66), in the memory of `windows`.
    """
    count, frames = windows.shape[:2]
    changed = round(config.share * count)
    if not changed:
        return windows
    whole = windows.view(count, frames, 22, 3)
    before = whole[:changed]
    after = before.clone()
    _swap_parts(after, whole, config)
    _turn_parts(after, config, generator)
    upright = _upright(before[:, target])
    checked = after[:, ::_CHECKED]
    # Pelvis and hips have not moved, so either half of the original body can be restored. The limits of the
    # legs depend on the spine, so the upper body is decided first.
    for part, plausible in ((_UPPER, plausible_arms), (_LOWER, plausible_legs)):
        keep = (upright & plausible(checked))[:, None, None, None]
        after[:, :, part] = torch.where(keep, after[:, :, part], before[:, :, part])
    _stand(after, before, upright, config, generator, rate=rate)
    whole[:changed] = after
    return windows


def _upright(pose: Tensor) -> Tensor:
    """Return which people with points (N, 22, 3) are upright, (N,) bool."""
    trunk = pose[:, 7] - pose[:, 0]
    upright = trunk[:, 2] > _LEAST_UPRIGHT * trunk.norm(dim=-1)
    return upright & (pose[:, 0, 2] > _LEAST_HIP_HEIGHT)


def _span(count: int, start: float, share: float) -> slice:
    """Return a slice of neighbouring windows: a `share` of all, from `start` on, up to the last window."""
    start = min(start, 1 - share)
    return slice(round(start * count), round((start + share) * count))


def _swap_parts(after: Tensor, whole: Tensor, config: RecombinationConfig) -> None:
    """Give windows other windows' upper bodies, arms and legs, in place."""
    count = len(after)
    # Spans overlap in part, so that some windows get several parts, each from another window.
    span = _span(count, 0.0, config.upper_body)
    _swap(after, span, _donors(whole, span, 1), 0, _UPPER, pelvis=True)
    for side, start in enumerate((0.2, 0.4)):
        span = _span(count, start, config.arm)
        _swap(after, span, _donors(whole, span, 2 + side), *_ARMS[side], pelvis=False)
    for side, start in enumerate((0.6, 0.6 + config.leg / 2)):
        span = _span(count, start, config.leg / 2)
        _swap(after, span, _donors(whole, span, 4 + side), *_LEGS[side], pelvis=True)


def _donors(whole: Tensor, span: slice, number: int) -> Tensor:
    """Return as many other windows as `span` has; they are copied only if they go on at the first window."""
    count = span.stop - span.start
    away = number * (len(whole) // 7 + 1)
    start = (span.start + away) % (len(whole) - count + 1)
    if start != span.start:
        return whole[start : start + count]
    return whole.roll(-away, 0)[span]  # nearly all windows get a part, so few start elsewhere


def _swap(after: Tensor, span: slice, donor: Tensor, root: int, part: slice, *, pelvis: bool) -> None:
    """Replace `part`, which is connected to the joint `root`, by the donor's, in axes of pelvis or thorax."""
    axes = pelvis_axes if pelvis else thorax_axes
    own = after[span]
    turn = product(axes(own), axes(donor).transpose(-1, -2))
    relative = donor[:, :, part] - donor[:, :, root, None]
    own[:, :, part] = own[:, :, root, None] + rotate(turn, relative)


def _turn_parts(after: Tensor, config: RecombinationConfig, generator: torch.Generator) -> None:
    """Turn trunks, legs and arms slowly by random angles, in place."""
    count = len(after)
    parts = (
        (0.25, config.trunk, 0, _UPPER, pelvis_axes),
        (0.1, config.legs, *_LEGS[0], pelvis_axes),
        (0.5, config.legs, *_LEGS[1], pelvis_axes),
        (0.4, config.arms, *_ARMS[0], thorax_axes),
        (0.2, config.arms, *_ARMS[1], thorax_axes),
    )
    for start, spread, root, part, axes in parts:
        span = _span(count, start, config.turned)
        own = after[span]
        turn = from_rotation_vectors(rotate(axes(own), _slow_turns(own, spread, generator))[:, :, 0])
        joint = own[:, :, root, None]
        own[:, :, part] = joint + rotate(turn, own[:, :, part] - joint)


def _slow_turns(windows: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    """Sample slowly changing rotation vectors (N, F, 1, 3); each component spreads by about `degrees`."""
    count, frames = windows.shape[:2]
    device = windows.device
    spread = math.radians(degrees)
    normal = torch.randn(count, 2, 1, 3, generator=generator, device=device).clamp(-2, 2) * spread
    uniform = torch.rand(count, 2, 1, 1, generator=generator, device=device)
    time = torch.linspace(-1, 1, frames, device=device)[None, :, None]
    swing = torch.sin(4 * uniform[:, 0] * time + 2 * math.pi * uniform[:, 1])
    return (normal[:, 0] + 0.7 * normal[:, 1] * swing)[:, :, None]


def _stand(
    after: Tensor,
    before: Tensor,
    upright: Tensor,
    config: RecombinationConfig,
    generator: torch.Generator,
    *,
    rate: float,
) -> None:
    """Put the feet back on the floor, or lift the body into the air for a moment, in place."""
    lowest_before, lowest = (v[:, :, _ANKLES, 2].amin((1, 2)) for v in (before, after))
    rise = (lowest_before - lowest)[:, None].expand(-1, after.shape[1])
    jumps = round(config.jumps * len(after))
    if jumps:
        draws = torch.rand(3, jumps, 1, generator=generator, device=after.device)
        height = 0.1 + 0.4 * draws[0]
        time = (torch.arange(after.shape[1], device=after.device) - draws[1] * after.shape[1]) / rate
        rise = rise.clone()
        height = (height - 0.5 * _GRAVITY * time.square()).clamp(min=0)
        rise[:jumps] += height * upright[:jumps, None]
    after[..., 2] += rise[:, :, None]
