"""A simulated detector, which adds the errors of 2D keypoint detectors to true projections.

The errors are white jitter, slow drift, a bias that is constant in a window, larger errors on the side turned
away from the camera, stray keypoints, and episodes. In an episode, a limb is placed on the limb of the other
side, left and right are exchanged, or a limb has large errors.

`simulate` processes the windows of training, with one bias and at most one episode per window.
`simulate_clip` divides a long clip into such windows, so that the errors are distributed as in training. Slow
errors (drift, bias) fade from one window to the next. Sudden errors (jitter, stray keypoints, episodes)
change at the boundary.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...skeleton import COCO17
from .config import DetectionConfig
from .constants import indices, on_device

# How uncertain each COCO keypoint is, relative to an elbow (after the spreads of COCO's human annotators).
_UNCERTAINTY = torch.tensor([0.45, 0.4, 0.4, 0.5, 0.5, 1, 1, 1, 1, 1.1, 1.1, 1.3, 1.3, 1.15, 1.15, 1.2, 1.2])
_LIMBS = torch.zeros(6, len(COCO17))
for _row, _names in enumerate(
    (
        "lelbow lwrist",
        "relbow rwrist",
        "lknee lankle",
        "rknee rankle",
        "lhip lknee lankle rhip rknee rankle",
        "lshoulder lelbow lwrist rshoulder relbow rwrist",
    )
):
    _LIMBS[_row, [COCO17.index(n) for n in _names.split()]] = 1
_TWIN = COCO17.mirror
_KNOT_SPACING = 8  # frames between the knots of the slow drift


def simulate(
    points: Tensor, depth: Tensor, scale: Tensor, config: DetectionConfig, generator: torch.Generator
) -> Tensor:
    """Simulate the detected keypoints of windows.

    Args:
        points: True COCO17 keypoints (N, F, 2, 17), x and y as rays.
        depth: (N, F, 17) metres along the optical axis.
        scale: (N,) rays per metre at the person's distance.
        config: The errors.
        generator: Random numbers, on the device of `points`.

    Returns:
        Detected keypoints (N, F, 2, 17), x and y as rays.
    """
    count, frames = points.shape[:2]
    device = points.device
    twin = indices(_TWIN, device)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device)

    def log_uniform(low: float, high: float) -> Tensor:
        return torch.exp(
            math.log(low)
            + (math.log(high) - math.log(low)) * torch.rand(count, generator=generator, device=device)
        )

    severity = log_uniform(*config.severity)
    hidden = torch.sigmoid((depth - depth[..., twin]) * 15).mul_(config.hidden).add_(1)
    spread = hidden.mul_(on_device(_UNCERTAINTY, device) * (severity * scale)[:, None, None])[:, :, None]
    knots = max(2, -(-frames // _KNOT_SPACING) + 1)
    # In place, to spare passes over the memory.
    errors = normal(count, frames, 2, 17).mul_(log_uniform(*config.jitter)[:, None, None, None])
    slow = log_uniform(*config.drift)[:, None, None, None] * normal(count, knots, 2, 17)
    errors.add_(torch.einsum("fk,nkdj->nfdj", _between_knots(frames, knots, device), slow))
    seen = errors.add_(config.bias * normal(count, 1, 2, 17)).mul_(spread).add_(points)

    chance = config.outliers * severity[:, None, None, None]
    stray = torch.rand(count, frames, 1, 17, generator=generator, device=device) < chance
    if device.type != "cpu":
        # The number of stray keypoints is not used, because reading it would make the CPU wait for the GPU.
        size = config.outlier_size * scale[:, None, None, None]
        seen = torch.where(stray, torch.addcmul(seen, size, normal(count, frames, 2, 17)), seen)
        return _masked_episodes(seen, scale, config.episodes * severity, generator)
    where = stray.expand_as(seen).nonzero(as_tuple=True)
    seen[where] += config.outlier_size * scale[where[0]] * normal(len(where[0]))
    _episodes(seen, scale, config.episodes * severity, generator)
    return seen


def _between_knots(frames: int, knots: int, device: torch.device) -> Tensor:
    """Return the matrix (F, K) of linear interpolation from evenly spaced knots to frames."""
    at = torch.linspace(0, knots - 1, frames, device=device)[:, None]
    return (1 - (at - torch.arange(knots, device=device)).abs()).clamp(min=0)


def _masked_episodes(seen: Tensor, scale: Tensor, chance: Tensor, generator: torch.Generator) -> Tensor:
    """Do the same as `_episodes` with the same probabilities, by masks over all samples."""
    count, frames = seen.shape[:2]
    device = seen.device
    draws = torch.rand(6, count, generator=generator, device=device)
    length = 1 + (draws[0].square() * 20).floor()
    start = (draws[1] * (frames + length) - length).floor()
    frame = torch.arange(frames, device=device)
    during = (frame >= start[:, None]) & (frame < (start + length)[:, None]) & (draws[2] < chance)[:, None]
    limb = (draws[3] * len(_LIMBS)).long().clamp(max=len(_LIMBS) - 1)
    swaps = (draws[4] * 3 >= 1) | (limb > 3)
    spoilt = during[:, :, None] & (on_device(_LIMBS, device)[limb] > 0)[:, None]
    astray = torch.randn(count, 1, 2, 17, generator=generator, device=device)
    guessed = torch.addcmul(seen, astray, 0.12 * scale[:, None, None, None])
    wrong = torch.where(swaps[:, None, None, None], seen[..., indices(_TWIN, device)], guessed)
    return torch.where(spoilt[:, :, None], wrong, seen)


def _episodes(seen: Tensor, scale: Tensor, chance: Tensor, generator: torch.Generator) -> None:
    """Misplace one limb of some samples for some frames, in place. `chance`: (N,) probabilities."""
    count, frames = seen.shape[:2]
    chosen = (torch.rand(count, generator=generator) < chance).nonzero()[:, 0]
    if not len(chosen):
        return
    number = len(chosen)
    length = 1 + (torch.rand(number, generator=generator).square() * 20).floor()
    start = (torch.rand(number, generator=generator) * (frames + length) - length).floor()
    frame = torch.arange(frames)
    during = (frame >= start[:, None]) & (frame < (start + length)[:, None])
    limb = torch.randint(len(_LIMBS), (number,), generator=generator)
    kind = torch.randint(3, (number,), generator=generator)
    part = seen[chosen]
    twin = part[..., list(_TWIN)]
    # Both arms or both legs are only exchanged. A single limb is placed on the other side's, or displaced.
    astray = part + 0.12 * scale[chosen, None, None, None] * torch.randn(
        number, 1, 2, 17, generator=generator
    )
    wrong = torch.where(((kind > 0) | (limb > 3))[:, None, None, None], twin, astray)
    spoilt = during[:, :, None, None] & (_LIMBS[limb] > 0)[:, None, None]
    seen[chosen] = torch.where(spoilt, wrong, part)


_NONE = (1e-9, 1e-9)  # metres: practically no noise, but a valid (positive) range
_FADE = 1 / 6  # part of a window over which slow errors fade into those of the next


def simulate_clip(
    points: Tensor,
    depth: Tensor,
    distance: Tensor,
    config: DetectionConfig,
    generator: torch.Generator,
    *,
    window: int,
) -> Tensor:
    """Simulate the detected keypoints of one clip.

    Args:
        points: True COCO17 keypoints (F, 2, 17), x and y as rays.
        depth: (F, 17) metres along the optical axis.
        distance: (F,) metres to the root.
        config: The errors.
        generator: Random numbers.
        window: Frames of a window.

    Returns:
        Detected keypoints (F, 2, 17), x and y as rays.

    Raises:
        ValueError: If a window has fewer than two frames.
    """
    if window < 2:
        raise ValueError("a window needs at least two frames")
    frames = len(points)
    if frames <= window:
        return simulate(points[None], depth[None], 1 / distance.mean()[None], config, generator)[0]

    fade = max(1, round(window * _FADE))
    hop = window - fade
    count = math.ceil((frames - fade) / hop)
    index = torch.arange(count)[:, None] * hop + torch.arange(window)
    inside = index < frames
    index = index.clamp(max=frames - 1)
    cut, cut_depth, scale = points[index], depth[index], 1 / distance[index].mean(1)

    steady = config.model_copy(update={"jitter": _NONE, "outliers": 0.0, "episodes": 0.0})
    sudden = config.model_copy(update={"drift": _NONE, "bias": 0.0})
    slow = simulate(cut, cut_depth, scale, steady, generator) - cut
    fast = simulate(cut, cut_depth, scale, sudden, generator) - cut

    # The sum of two independent errors of equal spread has the same spread if the squares of their weights
    # add up to 1.
    ramp = (torch.arange(window) + 1.0) / (fade + 1)
    weight = (torch.minimum(ramp, ramp.flip(0)).clamp(max=1) * (math.pi / 2)).sin() * inside
    at = index.flatten()
    slow_error = torch.zeros_like(points).index_add_(0, at, (slow * weight[..., None, None]).flatten(0, 1))
    power = torch.zeros(frames).index_add_(0, at, weight.square().flatten())
    slow_error /= power.sqrt()[:, None, None]

    frame = torch.arange(frames)
    owner = ((frame - fade // 2) // hop).clamp(0, count - 1)
    return points + slow_error + fast[owner, frame - owner * hop]
