"""From heatmaps to keypoints: the expected position under the softmax of a heatmap.

A heatmap's last two axes are its height and width; any axes before them, such as people and joints, are kept.
Positions are x and y in cells; 0 is the centre of the first cell.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Decoding = Literal["soft-argmax", "argmax"]
"""How a keypoint is decoded: as the expected position, or as the cell where the heatmap is highest."""

TOLERANCE = 0.05
"""The distance at which a cell counts exp(−1/2) towards the score, as a fraction of the map's side. It is
close to the tolerance of COCO's keypoint similarity."""


def soft_argmax(
    heatmaps: Tensor, *, temperature: float = 1.0, radius: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return the expected positions of keypoints and their scores. Both are differentiable.

    The softmax of heatmap / temperature is the probability of the keypoint in each cell.

    Args:
        heatmaps: (…, H, W). Half-precision maps are computed in single precision.
        temperature: 1 for a network that was trained by cross-entropy over the cells, whose output is a log
            probability. Other maps, such as Gaussians of height 1, need a temperature well below their
            height; otherwise positions are biased towards the middle of the map.
        radius: Largest distance in cells from the highest cell, in x and in y, of the cells that count. None
            counts all cells, as in the paper, which gives the least expected squared error. A radius of 6 to
            12 makes typical errors slightly smaller and the rare large errors larger.

    Returns:
        Positions (…, 2), x and y in cells, and scores (…), 0–1. A score is the expected value of
        exp(−d² / 2s²), where d is the distance of the keypoint from the position and s is `TOLERANCE` times
        the side of the map. It is near 1 for one narrow peak, and near 0 for a flat map or two distant peaks.
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
    # sums, because autocast and TF32 round matrix products
    x = (chance.sum(-2) * columns).sum(-1)
    y = (chance.sum(-1) * rows).sum(-1)
    near_x = torch.exp(-(((columns - x[..., None]) / (TOLERANCE * width)) ** 2) / 2)
    near_y = torch.exp(-(((rows - y[..., None]) / (TOLERANCE * height)) ** 2) / 2)
    score = (chance * near_y[..., :, None] * near_x[..., None, :]).sum((-2, -1))
    return torch.stack([x, y], -1), score


def highest_cell(heatmaps: Tensor) -> Tensor:
    """Return the cell (…, 2), x and y, where heatmaps (…, H, W) are highest, in the type of the maps."""
    width = heatmaps.shape[-1]
    cell = heatmaps.flatten(-2).argmax(-1)
    return torch.stack([cell % width, cell // width], -1).to(heatmaps.dtype)
