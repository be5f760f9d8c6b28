"""detectron2's keypoint head with a soft-argmax: keypoints lie where the heatmaps expect them.

Importing this module imports detectron2: call `require_detectron2` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from detectron2.modeling.roi_heads import ROI_KEYPOINT_HEAD_REGISTRY, KRCNNConvDeconvUpsampleHead
from torch import Tensor

from ..soft_argmax import soft_argmax


class SoftArgmaxKeypointHead(KRCNNConvDeconvUpsampleHead):  # type: ignore[misc]
    """The standard head; in evaluation `pred_keypoints` are x, y in input pixels and confidence 0–1."""

    def forward(self, x: Tensor, instances: list[Any]) -> Any:
        """As detectron2's: losses in training; else `instances`, one an image, with the keypoints added."""
        if self.training:
            return super().forward(x, instances)
        heatmaps = self.layers(x)
        boxes = torch.cat([found.pred_boxes.tensor for found in instances])
        keypoints = expected_keypoints(heatmaps, boxes)
        counts = [len(found) for found in instances]
        shares = zip(instances, torch.split(keypoints, counts), torch.split(heatmaps, counts), strict=True)
        for found, points, maps in shares:
            found.pred_keypoints, found.pred_keypoint_heatmaps = points, maps
        return instances


def expected_keypoints(heatmaps: Tensor, boxes: Tensor) -> Tensor:
    """(N, K, H, W) logits in (N, 4) boxes, x0, y0, x1, y1 → (N, K, 3) x, y in the boxes' pixels, confidence.

    The map covers the box edge to edge, as in training: a cell's centre is half a cell from its edge.
    """
    cells, confidence = soft_argmax(heatmaps)
    sides = cells.new_tensor([heatmaps.shape[-1], heatmaps.shape[-2]])
    corners, sizes = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    return torch.cat([corners + (cells + 0.5) / sides * sizes, confidence[..., None]], -1)


@contextmanager
def registered() -> Iterator[str]:
    """Let configurations name the head while the block runs, by the name given; then forget it again."""
    name = SoftArgmaxKeypointHead.__name__
    if name in ROI_KEYPOINT_HEAD_REGISTRY:
        yield name
        return
    ROI_KEYPOINT_HEAD_REGISTRY.register(SoftArgmaxKeypointHead)
    try:
        yield name
    finally:
        del ROI_KEYPOINT_HEAD_REGISTRY._obj_map[name]  # a registry has no public way to forget
