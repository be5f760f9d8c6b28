"""The simulated detector over a whole clip, which may be minutes long.

`detections.simulate` spoils windows as training draws them: one bias and at most one episode a window. A long
clip is cut into windows of that kind, so that it is as hard as training is. What is slow (drift, bias) fades
from one window to the next; what is sudden (jitter, stray points, episodes) changes at the seam.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..training.config import DetectionConfig
from .detector_noise import simulate

_NONE = (1e-9, 1e-9)  # metres: as good as no noise, and still a positive range
_FADE = 1 / 6  # of a window


def simulate_clip(
    points: Tensor,
    depth: Tensor,
    distance: Tensor,
    config: DetectionConfig,
    generator: torch.Generator,
    *,
    window: int,
) -> Tensor:
    """True image points of one clip → detected ones.

    points: (F, 2, 17) rays x and y of COCO17 keypoints. depth: (F, 17) metres along the axis. distance: (F,)
    metres to the root. window: frames. Returns (F, 2, 17). Raises `ValueError` for a window of less than two
    frames.
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

    # Two independent errors of one spread keep it where the squares of their weights add up to one.
    ramp = (torch.arange(window) + 1.0) / (fade + 1)
    weight = (torch.minimum(ramp, ramp.flip(0)).clamp(max=1) * (math.pi / 2)).sin() * inside
    at = index.flatten()
    slow_error = torch.zeros_like(points).index_add_(0, at, (slow * weight[..., None, None]).flatten(0, 1))
    power = torch.zeros(frames).index_add_(0, at, weight.square().flatten())
    slow_error /= power.sqrt()[:, None, None]

    frame = torch.arange(frames)
    owner = ((frame - fade // 2) // hop).clamp(0, count - 1)
    return points + slow_error + fast[owner, frame - owner * hop]
