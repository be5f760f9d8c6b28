import math

import numpy as np
import pytest
import torch
from torch import Tensor

from videopose.detectors.mask_rcnn.torchvision_ops import nms, provide, roi_align


def some_boxes(count: int, size: float, seed: int = 0) -> Tensor:
    corners = size * torch.rand(count, 2, 2, generator=torch.Generator().manual_seed(seed))
    return torch.cat([corners.amin(1), corners.amax(1)], 1)


def greedy(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    """Non-maximum suppression as it is defined, box by box."""
    kept: list[int] = []
    for index in scores.argsort(descending=True, stable=True).tolist():
        x0, y0, x1, y1 = boxes[index].tolist()
        for other in kept:
            u0, v0, u1, v1 = boxes[other].tolist()
            shared = max(min(x1, u1) - max(x0, u0), 0) * max(min(y1, v1) - max(y0, v0), 0)
            both = (x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared
            if shared > threshold * both:
                break
        else:
            kept.append(index)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_nms_is_the_greedy_one(threshold: float):
    boxes = some_boxes(300, 100)
    scores = torch.rand(300, generator=torch.Generator().manual_seed(1)).round(decimals=2)  # some are equal
    kept = nms(boxes, scores, threshold)
    assert kept.tolist() == greedy(boxes, scores, threshold)
    assert 1 < len(kept) < 300


def test_nms_of_a_long_chain():
    """Each box hides the next alone, so that every second one stays: the slowest case there is."""
    left = torch.arange(101.0) * 4
    boxes = torch.stack([left, torch.zeros(101), left + 10, torch.full((101,), 10.0)], 1)
    assert nms(boxes, -left, 0.4).tolist() == list(range(0, 101, 2))


def test_nms_of_empty_boxes():
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []
    assert nms(torch.zeros(3, 4), torch.arange(3.0), 0.5).tolist() == [2, 1, 0]


def sampled(
    features: Tensor, roi: Tensor, scale: float, height: int, width: int, ratio: int, aligned: bool
) -> Tensor:
    """RoIAlign of one box as the paper and the compiled operator define it, sample by sample."""
    rows, columns = features.shape[-2:]
    offset = 0.5 if aligned else 0.0
    x0, y0, x1, y1 = (value * scale - offset for value in roi[1:].tolist())
    tall, wide = (y1 - y0, x1 - x0) if aligned else (max(y1 - y0, 1), max(x1 - x0, 1))
    down, across = (ratio, ratio) if ratio > 0 else (math.ceil(tall / height), math.ceil(wide / width))
    out = features.new_zeros(features.shape[1], height, width)
    for p, q in np.ndindex(height, width):
        for i, j in np.ndindex(max(down, 0), max(across, 0)):
            y = y0 + (p + (i + 0.5) / down) * tall / height
            x = x0 + (q + (j + 0.5) / across) * wide / width
            if not (-1 <= y <= rows and -1 <= x <= columns):
                continue
            y, x = min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)
            for row, column in np.ndindex(2, 2):
                r, c = min(int(y) + row, rows - 1), min(int(x) + column, columns - 1)
                weight = (y % 1 if row else 1 - y % 1) * (x % 1 if column else 1 - x % 1)
                out[:, p, q] += weight * features[int(roi[0]), :, r, c] / (down * across)
    return out


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("ratio", [0, -1, 2])
def test_roi_align_and_its_gradient(ratio: int, aligned: bool):
    features = torch.randn(2, 3, 12, 17, generator=torch.Generator().manual_seed(0), requires_grad=True)
    boxes = torch.cat(
        [
            some_boxes(8, 60) - 5,
            torch.tensor([[5.0, 5, 5, 5], [-60, -60, -20, -20], [-8, -9, 90, 70], [66.2, 47, 68, 48]]),
        ]
    )
    rois = torch.cat([torch.arange(len(boxes))[:, None] % 2, boxes], 1)
    pooled = roi_align(features, rois, 0.25, 3, 2, ratio, aligned)
    pull = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(pooled, features, pull)

    exact = features.detach().double().requires_grad_()
    expected = torch.stack([sampled(exact, roi.double(), 0.25, 3, 2, ratio, aligned) for roi in rois])
    (expected_gradient,) = torch.autograd.grad(expected, exact, pull.double())
    torch.testing.assert_close(pooled.double(), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=0, atol=1e-3)


def test_roi_align_of_no_boxes():
    features = torch.randn(1, 3, 8, 8, requires_grad=True)
    pooled = roi_align(features, torch.zeros(0, 5), 1.0, 2, 2, 0, True)
    assert pooled.shape == (0, 3, 2, 2)
    (gradient,) = torch.autograd.grad(pooled.sum(), features)
    assert not gradient.any()


def test_many_large_boxes_go_in_portions(monkeypatch: pytest.MonkeyPatch):
    features = torch.randn(1, 2, 30, 40, generator=torch.Generator().manual_seed(0))
    rois = torch.cat([torch.zeros(50, 1), some_boxes(50, 30)], 1)
    at_once = roi_align(features, rois, 1.0, 7, 7, 0, True)
    monkeypatch.setattr("videopose.detectors.mask_rcnn.torchvision_ops._CHUNK", 1000)
    torch.testing.assert_close(roi_align(features, rois, 1.0, 7, 7, 0, True), at_once)


def test_torchvision_computes_the_same():
    """Its compiled operators where they load; else these, under its names."""
    whose = provide()
    from torchvision import ops

    boxes, scores = some_boxes(200, 100), torch.rand(200, generator=torch.Generator().manual_seed(2))
    assert ops.nms(boxes, scores, 0.5).tolist() == nms(boxes, scores, 0.5).tolist()
    features = torch.randn(1, 8, 25, 25, requires_grad=True)
    ours = roi_align(features, torch.nn.functional.pad(boxes, (1, 0)), 0.25, 7, 7, 0, True)
    theirs = ops.roi_align(features, [boxes], 7, 0.25, 0, True)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    pull = torch.randn_like(ours)
    gradients = [torch.autograd.grad(pooled, features, pull)[0] for pooled in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-3)
    assert whose == provide()
