"""torchvision's `nms` and `roi_align` in plain PyTorch, used if the compiled ones do not load.

They do not load if torchvision was built for another build of torch, such as a build for CUDA beside a torch
for the CPU. torchvision then cannot be imported at all. `provide` registers these operators under the same
names.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import UsageError

Ops = Literal["compiled", "plain PyTorch"]

_CHUNK = 1 << 22  # Sampling weights in memory at a time, independent of the number of boxes.

_library: Any = None  # Kept, because torch removes operators when their library is deleted.


def provide() -> Ops:
    """Make sure that `torchvision.ops` has `nms` and `roi_align`: the compiled ones if they load.

    Returns:
        Which operators are in use.

    Raises:
        UsageError: torchvision is not installed.
    """
    global _library
    if _library is None and not _compiled_ops_load():
        _library = _define()
    return "compiled" if _library is None else "plain PyTorch"


def _compiled_ops_load() -> bool:
    """Load torchvision's compiled operators; return whether that succeeded."""
    torchvision = importlib.util.find_spec("torchvision")
    if torchvision is None:
        raise UsageError(
            f"torchvision is not installed: install the one that goes with torch {torch.__version__}"
        )
    ops = importlib.machinery.PathFinder.find_spec("_C", torchvision.submodule_search_locations)
    if ops is None or ops.origin is None:
        return False
    try:
        torch.ops.load_library(ops.origin)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


def _define() -> Any:
    """Register the operators of this module as torchvision's; return the library that holds them."""
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # needed on import
    library.define(
        "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
        "int sampling_ratio, bool aligned) -> Tensor"
    )
    library.impl("nms", nms, "CompositeExplicitAutograd")
    library.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    # Without compiled operators, torchvision raises an error for `nms` and compiles its own `roi_align`.
    for name in ("torchvision.extension", "torchvision.ops.roi_align"):
        vars(importlib.import_module(name))["_has_ops"] = lambda: True
    return library


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Select boxes by greedy non-maximum suppression.

    A box is removed if its overlap (intersection over union) with a better box that is kept exceeds a limit.

    Args:
        boxes: (N, 4): x0, y0, x1, y1.
        scores: (N,).
        iou_threshold: The limit.

    Returns:
        The indices of the boxes that are kept, best first.
    """
    order = scores.argsort(descending=True, stable=True)
    x0, y0, x1, y1 = boxes[order].unbind(1)
    areas = (x1 - x0) * (y1 - y0)
    width = torch.minimum(x1[:, None], x1) - torch.maximum(x0[:, None], x0)
    height = torch.minimum(y1[:, None], y1) - torch.maximum(y0[:, None], y0)
    shared = width.clamp(min=0) * height.clamp(min=0)
    beats = (shared / (areas[:, None] + areas - shared)).double() > iou_threshold
    beats = beats.triu(1).to(boxes.dtype)  # A row removes a column: only a better box does.
    # Each round keeps the boxes that no kept box of the round before removes. After n rounds the n best boxes
    # are decided as by the greedy search; usually all are decided after a few rounds.
    kept = boxes.new_ones(len(boxes))
    while True:
        before, kept = kept, (kept @ beats == 0).to(boxes.dtype)
        if torch.equal(before, kept):
            return order[kept.bool()]


def roi_align(
    features: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Average bilinear samples of each box over the cells of a grid (He et al., Mask R-CNN, §3).

    The result can be differentiated with respect to the features.

    Args:
        features: (N, C, H, W).
        rois: (K, 5): index of the image, and x0, y0, x1, y1.
        spatial_scale: Factor from coordinates of the boxes to pixels of the features.
        pooled_height: Rows of the grid.
        pooled_width: Columns of the grid.
        sampling_ratio: Samples per cell and axis. Below 1, it is the size of the cell in pixels, rounded up.
        aligned: Whether the centres of pixels are at 0.5, 1.5, and so on; otherwise at 0, 1, and so on.

    Returns:
        (K, C, pooled_height, pooled_width).
    """
    channels, height, width = features.shape[1:]
    if not len(rois):
        return features.new_zeros(0, channels, pooled_height, pooled_width) + 0 * features.sum()
    rois = rois.detach().to(torch.promote_types(features.dtype, torch.float32))
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    sides = corners[:, 2:] - corners[:, :2]
    if not aligned:
        sides = sides.clamp(min=1)
    cells = sides / sides.new_tensor([pooled_width, pooled_height])
    counts = torch.full_like(cells, sampling_ratio) if sampling_ratio > 0 else cells.ceil().clamp(min=0)
    # With one row per pixel, a cell is a weighted sum of rows. `embedding_bag` computes it without a copy of
    # the rows.
    pixels = features.permute(0, 2, 3, 1).reshape(-1, channels)
    first_row = rois[:, 0].long() * height
    parts, places = [], []
    most = counts.amax(1).clamp(min=1).long()
    for samples in torch.unique(most).tolist():
        fit = max(_CHUNK // (pooled_height * pooled_width * (2 * samples) ** 2), 1)
        for some in (most == samples).nonzero()[:, 0].split(fit):
            (x, x_weight), (y, y_weight) = (
                _axis(corners[some, axis], cells[some, axis], counts[some, axis], pooled, samples, size)
                for axis, (pooled, size) in enumerate(((pooled_width, width), (pooled_height, height)))
            )
            y = y + first_row[some, None, None]
            index = y[:, :, None, :, None] * width + x[:, None, :, None, :]
            weight = y_weight[:, :, None, :, None] * x_weight[:, None, :, None, :]
            shape = len(some) * pooled_height * pooled_width, -1
            parts.append(
                F.embedding_bag(
                    index.reshape(shape),
                    pixels,
                    per_sample_weights=weight.reshape(shape).to(features.dtype),
                    mode="sum",
                )
            )
            places.append(some)
    pooled = torch.cat(parts).view(len(rois), pooled_height, pooled_width, channels)
    return pooled[torch.cat(places).argsort()].permute(0, 3, 1, 2)


def _axis(
    start: Tensor, cell: Tensor, count: Tensor, pooled: int, samples: int, size: int
) -> tuple[Tensor, Tensor]:
    """Return the pixels that the samples of each cell read along one axis, and their weights.

    Args:
        start: (K,), first edge of the box.
        cell: (K,), size of a cell.
        count: (K,), samples in a cell, at most `samples`.
        pooled: Number of cells.
        samples: Number of samples that the result has room for.
        size: Number of pixels along the axis.

    Returns:
        Indices and weights, (K, pooled, 2 · samples). The weights of a cell add up to 1, minus the samples
        that lie more than a pixel outside, which count as 0.
    """
    cells = torch.arange(pooled, dtype=start.dtype, device=start.device)[:, None]
    steps = torch.arange(samples, dtype=start.dtype, device=start.device)
    start, cell, count = (value[:, None, None] for value in (start, cell, count))
    divisor = count.clamp(min=1)
    at = start + cells * cell + (steps + 0.5) * cell / divisor
    counted = (steps < count) & (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor()
    high_weight = (at - low) * counted / divisor
    low_weight = counted / divisor - high_weight
    index = torch.cat([low, (low + 1).clamp(max=size - 1)], -1).long()
    return index, torch.cat([low_weight, high_weight], -1)
