"""detectron2's keypoint head with soft-argmax: a keypoint is the expected position in its heatmap.

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
    """The standard head with soft-argmax in evaluation.

    `pred_keypoints` are then x and y in pixels of the input, and the confidence, 0–1.
    """

    def forward(self, x: Tensor, instances: list[Any]) -> Any:
        """Return the losses in training, otherwise the instances of each image with the keypoints added."""
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
    """Return the expected positions of keypoints in the heatmaps of boxes.

    A heatmap covers its box from edge to edge, as in training, so the centre of the first cell is half a
    cell from the edge.

    Args:
        heatmaps: (N, K, H, W) logits.
        boxes: (N, 4): x0, y0, x1, y1 in pixels.

    Returns:
        (N, K, 3): x and y in pixels, in the coordinates of the boxes, and confidence, 0–1.
    """
    cells, confidence = soft_argmax(heatmaps)
    sides = cells.new_tensor([heatmaps.shape[-1], heatmaps.shape[-2]])
    corners, sizes = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    return torch.cat([corners + (cells + 0.5) / sides * sizes, confidence[..., None]], -1)


@contextmanager
def registered() -> Iterator[str]:
    """Register the head with detectron2 for the duration of a `with` block.

    Yields:
        The name of the head in detectron2's configurations.
    """
    name = SoftArgmaxKeypointHead.__name__
    if name in ROI_KEYPOINT_HEAD_REGISTRY:
        yield name
        return
    ROI_KEYPOINT_HEAD_REGISTRY.register(SoftArgmaxKeypointHead)
    try:
        yield name
    finally:
        del ROI_KEYPOINT_HEAD_REGISTRY._obj_map[name]  # A registry has no public method for this.
