"""Simulate which keypoints a picture shows: its edges cut off parts, and objects hide limbs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...skeleton import COCO17
from .config import PictureConfig
from .constants import indices, on_device

_ASPECTS = ((16 / 9, 0.6), (4 / 3, 0.3), (1.0, 0.1))  # longer side divided by shorter side, and its share
_PORTRAIT = 0.4  # share of pictures that are higher than wide
_LEAST_FOUND = 6  # keypoints at the target frame; a detector would not find a person with fewer

_ARMS = ("lelbow lwrist", "relbow rwrist")
_LEGS = ("lknee lankle", "rknee rankle")
_HIDDEN_GROUPS = (
    _LEGS[0] + " " + _LEGS[1],
    _LEGS[0] + " " + _LEGS[1],
    "lhip rhip " + _LEGS[0] + " " + _LEGS[1],
    "lhip rhip " + _LEGS[0] + " " + _LEGS[1],
    "lhip rhip " + " ".join((*_LEGS, *_ARMS)),
    "lankle rankle",
    _ARMS[0],
    _ARMS[1],
    _ARMS[0],
    _ARMS[1],
    _ARMS[0] + " " + _ARMS[1],
    _LEGS[0],
    _LEGS[1],
    "lwrist",
    "rwrist",
    "lshoulder lhip " + _ARMS[0] + " " + _LEGS[0],
    "rshoulder rhip " + _ARMS[1] + " " + _LEGS[1],
    "nose leye reye lear rear",
)
_GROUPS = torch.zeros(len(_HIDDEN_GROUPS), len(COCO17), dtype=torch.bool)
for _row, _names in enumerate(_HIDDEN_GROUPS):
    _GROUPS[_row, [COCO17.index(n) for n in _names.split()]] = True

# From head to foot, so that a position between two neighbours is a height on the body.
_DOWN = tuple(COCO17.index(n) for n in ("nose", "lshoulder", "lhip", "lknee"))
_DOWN_RIGHT = tuple(COCO17.index(n) for n in ("nose", "rshoulder", "rhip", "rknee"))


def look(
    rays: Tensor,
    depth: Tensor,
    config: PictureConfig,
    generator: torch.Generator,
    *,
    target: int,
    near: float,
    least_depth: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Decide which keypoints are in the picture.

    Args:
        rays: True image points, (N, F, 2, 17) COCO17, x and y in units of the focal length.
        depth: Metres along the optical axis, (N, F, 17).
        config: How pictures vary.
        generator: Random numbers, on the device of `rays`.
        target: The frame whose pose is wanted.
        near: Metres. If a person's hip is nearer than this, the picture may cut off parts of the person.
        least_depth: Metres. Points nearer than this are not in the picture.

    Returns:
        Which keypoints the detector finds, (N, F, 17) bool; the picture's edges (N, 4): left, right, top,
        bottom, in the units of `rays`; and which windows have misplaced keypoints, (N,) bool.
    """
    count, frames = rays.shape[:2]
    device = rays.device
    draws = torch.rand(16, count, generator=generator, device=device)
    edges = _edges(rays, depth, config, draws, target=target, near=near)
    left, right, top, bottom = (edges[:, i, None, None] for i in range(4))
    x, y = rays[:, :, 0], rays[:, :, 1]
    inside = (x > left) & (x < right) & (y > top) & (y < bottom) & (depth > least_depth)
    misplaced = draws[8] < config.misplaced

    hidden = draws[9] < config.limbs
    group = on_device(_GROUPS, device)[(draws[10] * len(_GROUPS)).long().clamp(max=len(_GROUPS) - 1)]
    length = torch.where(draws[11] < config.passing, 2 + draws[12] * frames, 3.0 * frames)
    start = draws[13] * (frames + length) - length
    start = torch.where(draws[11] < config.passing, start, torch.full_like(start, -1.0))
    frame = torch.arange(frames, device=device)
    during = (frame >= start[:, None]) & (frame < (start + length)[:, None]) & hidden[:, None]
    shown = ~(during[:, :, None] & group[:, None])
    enough = (inside & shown)[:, target].sum(1) >= _LEAST_FOUND
    found = ((inside | misplaced[:, None, None]) & shown) | ~enough[:, None, None]
    return found, edges, misplaced & enough


def _edges(
    rays: Tensor, depth: Tensor, config: PictureConfig, draws: Tensor, *, target: int, near: float
) -> Tensor:
    """Return (N, 4) left, right, top and bottom of each picture, in units of the focal length."""
    low, high = (math.radians(v) / 2 for v in config.angle)
    longer = torch.tan(low + (high - low) * draws[0])
    shorter = longer / _ASPECTS[-1][0]
    taken = 1.0
    for aspect, share in reversed(_ASPECTS):
        shorter = torch.where(draws[1] < taken, longer / aspect, shorter)
        taken -= share
    portrait = draws[2] < _PORTRAIT
    width, height = torch.where(portrait, shorter, longer), torch.where(portrait, longer, shorter)
    hip = depth[:, target, 11:13].mean(1)
    whole = (hip > near) & (draws[3] >= config.cut)
    far = torch.full_like(width, 50.0)
    width, height = torch.where(whole, far, width), torch.where(whole, far, height)

    # Pictures whose lower edge is at a height on the body, from the nose (0) to the knees (3).
    at = 0.6 + 2.2 * draws[4]
    body = rays[:, target, 1]
    middle = (body[:, indices(_DOWN, rays.device)] + body[:, indices(_DOWN_RIGHT, rays.device)]) / 2
    step = at.floor().clamp(max=2).long()[:, None]
    upper, lower = middle.gather(1, step)[:, 0], middle.gather(1, step + 1)[:, 0]
    cut = torch.lerp(upper, lower, at - step[:, 0])
    bottom = torch.where(draws[5] < config.framed, torch.minimum(cut, height), height)
    return torch.stack([-width, width, -height, bottom], 1)
