"""A simulated detector: what 2D keypoint detectors do to true projections.

Besides white jitter there is slow drift, a bias that lasts as long as the window, larger errors on the side
turned away from the camera, stray points, and episodes in which a limb is put where its twin is, left and
right are exchanged, or a limb is lost and guessed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...skeleton import COCO17
from ..training.config import DetectionConfig

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
_TWIN = torch.tensor(COCO17.mirror)
_KNOT_SPACING = 8  # frames between the knots of the slow drift


def simulate(
    points: Tensor, depth: Tensor, scale: Tensor, config: DetectionConfig, generator: torch.Generator
) -> Tensor:
    """True image points → detected ones.

    points: (N, F, 2, 17) rays x and y of COCO17 keypoints. depth: (N, F, 17) metres along the axis.
    scale: (N,) rays per metre at the person. Returns (N, F, 2, 17).
    """
    count, frames = points.shape[:2]

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    def log_uniform(low: float, high: float) -> Tensor:
        return torch.exp(
            math.log(low) + (math.log(high) - math.log(low)) * torch.rand(count, generator=generator)
        )

    severity = log_uniform(*config.severity)
    hidden = 1 + config.hidden * torch.sigmoid((depth - depth[..., _TWIN]) * 15)
    spread = (hidden * _UNCERTAINTY * scale[:, None, None])[:, :, None]
    jitter = log_uniform(*config.jitter)[:, None, None, None] * normal(count, frames, 2, 17)
    knots = max(2, -(-frames // _KNOT_SPACING) + 1)
    slow = log_uniform(*config.drift)[:, None, None, None] * normal(count, knots, 2, 17)
    drift = torch.einsum("fk,nkdj->nfdj", _between_knots(frames, knots), slow)
    bias = config.bias * normal(count, 1, 2, 17)
    seen = points + severity[:, None, None, None] * spread * (jitter + drift + bias)

    chance = config.outliers * severity[:, None, None, None]
    stray = torch.rand(count, frames, 1, 17, generator=generator) < chance
    where = stray.expand_as(seen).nonzero(as_tuple=True)
    seen[where] += config.outlier_size * scale[where[0]] * normal(len(where[0]))
    _episodes(seen, scale, config.episodes * severity, generator)
    return seen


def _between_knots(frames: int, knots: int) -> Tensor:
    """(F, K) linear interpolation from evenly spaced knots to frames."""
    at = torch.linspace(0, knots - 1, frames)[:, None]
    return (1 - (at - torch.arange(knots)).abs()).clamp(min=0)


def _episodes(seen: Tensor, scale: Tensor, chance: Tensor, generator: torch.Generator) -> None:
    """Spoil one limb of some samples for a while, in place; chance: (N,) of each sample."""
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
    twin = part[..., _TWIN]
    # A whole girdle only swaps; one limb either lands on its twin or is guessed somewhere near.
    astray = part + 0.12 * scale[chosen, None, None, None] * torch.randn(
        number, 1, 2, 17, generator=generator
    )
    wrong = torch.where(((kind > 0) | (limb > 3))[:, None, None, None], twin, astray)
    spoilt = during[:, :, None, None] & (_LIMBS[limb] > 0)[:, None, None]
    seen[chosen] = torch.where(spoilt, wrong, part)
