"""Heatmaps → keypoints: the position that the softmax over a heatmap expects, between cells.

Everything is one operation over whatever dimensions stand before a heatmap's own two (people, joints).
Positions are in cells, x then y; 0 is the centre of the first cell.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Decoding = Literal["soft-argmax", "argmax"]
"""Whether a keypoint is where its heatmap expects it, or where it is highest."""

TOLERANCE = 0.05
"""How far a joint may be from where it is said to be, as a fraction of the map's side, before the confidence
falls to exp(−1/2): about what COCO's keypoint similarity forgives."""


def soft_argmax(
    heatmaps: Tensor, *, temperature: float = 1.0, radius: float | None = None
) -> tuple[Tensor, Tensor]:
    """(…, H, W) heatmaps → positions (…, 2) in cells and confidences (…), 0–1. Differentiable.

    The softmax of heatmap / `temperature` says how likely the joint is in each cell. 1 is right for a
    network trained by cross-entropy over the cells, whose output is a log probability; maps of another
    kind, such as Gaussians of height 1, need a temperature well under their height, else the answer is
    drawn to the map's middle. With `radius`, only the cells up to that far from the highest one count, in x
    and in y. Without, the answer has the least squared error that what the network believes allows (and is
    the paper's); with one of 6 to 12 cells typical errors are a little smaller, and the rare large ones
    larger.

    The confidence is the answer's expected similarity, exp(−d² / 2s²), to where the joint may be, with s
    `TOLERANCE` of each side: near 1 for one narrow peak, near 0 for a flat map or two distant peaks.
    Half-precision maps are computed and answered in single precision.
    """
    height, width = heatmaps.shape[-2:]
    heatmaps = heatmaps.to(torch.promote_types(heatmaps.dtype, torch.float32))
    rows = torch.arange(height, dtype=heatmaps.dtype, device=heatmaps.device)
    columns = torch.arange(width, dtype=heatmaps.dtype, device=heatmaps.device)
    if radius is not None:
        peak_x, peak_y = highest_cell(heatmaps).unbind(-1)
        far_x = (columns - peak_x[..., None]).abs() > radius
        far_y = (rows - peak_y[..., None]).abs() > radius
        heatmaps = heatmaps.masked_fill(far_y[..., :, None] | far_x[..., None, :], -torch.inf)
    chance = (heatmaps / temperature).flatten(-2).softmax(-1).reshape(heatmaps.shape)
    # sums, not matrix products, which autocast and TF32 would round
    x = (chance.sum(-2) * columns).sum(-1)
    y = (chance.sum(-1) * rows).sum(-1)
    near_x = torch.exp(-(((columns - x[..., None]) / (TOLERANCE * width)) ** 2) / 2)
    near_y = torch.exp(-(((rows - y[..., None]) / (TOLERANCE * height)) ** 2) / 2)
    confidence = (chance * near_y[..., :, None] * near_x[..., None, :]).sum((-2, -1))
    return torch.stack([x, y], -1), confidence


def highest_cell(heatmaps: Tensor) -> Tensor:
    """(…, H, W) heatmaps → (…, 2) the cell of the maximum, x then y, whole numbers of the maps' own type."""
    width = heatmaps.shape[-1]
    cell = heatmaps.flatten(-2).argmax(-1)
    return torch.stack([cell % width, cell // width], -1).to(heatmaps.dtype)
