"""torchvision's `nms` and `roi_align` in plain PyTorch, for where its compiled ones do not load.

They do not where torchvision was built for another build of torch, such as the one for CUDA beside a torch
for the CPU; torchvision then cannot even be imported. `provide` puts these in their place, under the same
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

_CHUNK = 1 << 22  # weights of roi_align held at a time, so that memory does not grow with the number of boxes

_library: Any = None  # torch forgets operators together with what defined them


def provide() -> Ops:
    """See that `torchvision.ops` has `nms` and `roi_align`, and say whose.

    The compiled ones are taken wherever they load. Raises `UsageError` where there is no torchvision.
    """
    global _library
    if _library is None and not _compiled_ops_load():
        _library = _define()
    return "compiled" if _library is None else "plain PyTorch"


def _compiled_ops_load() -> bool:
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
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # asked for on import
    library.define(
        "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
        "int sampling_ratio, bool aligned) -> Tensor"
    )
    library.impl("nms", nms, "CompositeExplicitAutograd")
    library.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    # Where it finds no compiled operators, torchvision refuses `nms` and compiles a `roi_align` on the spot.
    for name in ("torchvision.extension", "torchvision.ops.roi_align"):
        vars(importlib.import_module(name))["_has_ops"] = lambda: True
    return library


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Greedy non-maximum suppression: the indices of the boxes kept, best first.

    boxes: (N, 4), x0, y0, x1, y1. scores: (N,). A box goes if it overlaps a better one that is kept by more
    than `iou_threshold`.
    """
    order = scores.argsort(descending=True, stable=True)
    x0, y0, x1, y1 = boxes[order].unbind(1)
    areas = (x1 - x0) * (y1 - y0)
    width = torch.minimum(x1[:, None], x1) - torch.maximum(x0[:, None], x0)
    height = torch.minimum(y1[:, None], y1) - torch.maximum(y0[:, None], y0)
    shared = width.clamp(min=0) * height.clamp(min=0)
    beats = (shared / (areas[:, None] + areas - shared)).double() > iou_threshold
    beats = beats.triu(1).to(boxes.dtype)  # row beats column: only a better box does
    # Take what nobody beats as kept, drop what those beat, and look again: after n rounds the n best are
    # settled as the greedy search has them, and mostly all are after a few.
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
    """Bilinear samples of each box, averaged over the cells of a grid (He et al., Mask R-CNN, section 3).

    features: (N, C, H, W). rois: (K, 5), the image's index and x0, y0, x1, y1, which `spatial_scale` brings
    to the features' pixels. sampling_ratio: samples a cell and axis; below 1, as many as the cell is pixels
    wide or high, rounded up. aligned: whether pixel centres lie at halves. Returns (K, C, pooled_height,
    pooled_width). Differentiable in the features.
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
    # One row a pixel: a cell is then a weighted sum of rows, which `embedding_bag` takes without listing
    # them.
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
    """Which pixels the samples of each cell read along one axis, and by what weight.

    start, cell, count: (K,) first edge, side of a cell and samples in it, at most `samples`. size: pixels
    of the axis. Returns (K, pooled, 2 · samples) indices and weights; a cell's weights add up to one, less
    the samples that lie more than a pixel outside and count as zero.
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
