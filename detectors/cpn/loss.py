"""What the cascaded pyramid network learns to give, and the loss of what it gives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .network import HEIGHT, SPREADS, STRIDE


def target_heatmaps(points: Tensor, map_size: tuple[int, int]) -> list[Tensor]:
    """Return heatmaps (N, K, h, w) for each of `SPREADS`: Gaussians around points (N, K, 2) of the crop."""
    cells = points / STRIDE - 0.5
    rows, columns = (torch.arange(side, dtype=points.dtype, device=points.device) for side in map_size)
    across, down = columns - cells[..., :1], rows - cells[..., 1:]
    heatmaps = []
    for spread in SPREADS:
        x, y = (torch.exp(-((offset / spread) ** 2) / 2) for offset in (across, down))
        heatmaps.append(HEIGHT * y[..., :, None] * x[..., None, :])
    return heatmaps


def cpn_loss(
    coarse: Sequence[Tensor],
    refined: Tensor,
    targets: Sequence[Tensor],
    annotated: Tensor,
    *,
    hardest: int = 8,
) -> Tensor:
    """Return the loss of §4.2.3: L2 on GlobalNet's heatmaps plus L2 on RefineNet's hardest keypoints.

    Args:
        coarse: GlobalNet's heatmaps, from `CPN.forward`.
        refined: RefineNet's heatmaps.
        targets: What each of GlobalNet's levels should give, from `target_heatmaps`. RefineNet should give
            the last.
        annotated: (N, K) which keypoints are annotated. The others are left out.
        hardest: How many of each person's keypoints RefineNet learns from: those with the largest error
            (online hard keypoint mining).
    """

    def error(heatmaps: Tensor, target: Tensor) -> Tensor:
        """(N, K), 0 for keypoints that are not annotated."""
        return (heatmaps.float() - target).square().mean((-2, -1)) * annotated

    levels = [error(heatmaps, target).mean() for heatmaps, target in zip(coarse, targets, strict=True)]
    mined = error(refined, targets[-1]).topk(min(hardest, refined.shape[1]), 1).values.mean()
    return torch.stack(levels).mean() / 2 + mined  # weighted as in the authors' own code
