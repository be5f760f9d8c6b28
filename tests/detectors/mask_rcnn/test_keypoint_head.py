import pytest
import torch
from torch import Tensor

from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2

require_detectron2()

from detectron2.layers import ShapeSpec  # noqa: E402
from detectron2.modeling.roi_heads import ROI_KEYPOINT_HEAD_REGISTRY  # noqa: E402
from detectron2.structures import Boxes, Instances, heatmaps_to_keypoints  # noqa: E402

from videopose.detectors.mask_rcnn.keypoint_head import SoftArgmaxKeypointHead, expected_keypoints, registered  # noqa: E402

SIDE = 56


def rendered(points: Tensor, boxes: Tensor, spread: float) -> Tensor:
    """(N, K, 2) points in (N, 4) boxes → (N, K, 56, 56) logits of Gaussians, `spread` cells wide."""
    at = (points - boxes[:, None, :2]) / (boxes[:, None, 2:] - boxes[:, None, :2]) * SIDE
    cells = torch.arange(SIDE) + 0.5
    x, y = ((cells - place[..., None]) ** 2 for place in at.unbind(-1))
    return -(y[..., :, None] + x[..., None, :]) / (2 * spread**2)


def scenes(seed: int, people: int) -> tuple[Tensor, Tensor]:
    """Boxes of people 60 to 900 pixels tall, and 17 points well inside each."""
    random = torch.Generator().manual_seed(seed)
    low = 500 * torch.rand(people, 2, generator=random)
    height = 60 * 15 ** torch.rand(people, 1, generator=random)
    boxes = torch.cat([low, low + torch.cat([0.4 * height, height], 1)], 1)
    within = 0.2 + 0.6 * torch.rand(people, 17, 2, generator=random)
    return boxes, boxes[:, None, :2] + within * (boxes[:, None, 2:] - boxes[:, None, :2])


@pytest.mark.parametrize("spread", [1.0, 1.5, 2.0])
def test_error_is_at_most_a_quarter_of_arg_max(spread: float):
    boxes, points = scenes(0, people=20)
    heatmaps = rendered(points, boxes, spread)
    soft = (expected_keypoints(heatmaps, boxes)[..., :2] - points).norm(dim=-1)
    hard = (heatmaps_to_keypoints(heatmaps, boxes)[..., :2] - points).norm(dim=-1)
    assert hard.mean() > 0.3
    assert soft.mean() <= hard.mean() / 4
    assert soft.max() <= hard.max() / 4


def test_in_pixels_as_in_double_precision():
    boxes, points = scenes(1, people=20)
    heatmaps = rendered(points, boxes, 2.0) + torch.randn(20, 17, SIDE, SIDE)
    keypoints = expected_keypoints(heatmaps, boxes)
    assert keypoints.shape == (20, 17, 3)
    torch.testing.assert_close(
        keypoints.double(), expected_keypoints(heatmaps.double(), boxes.double()), rtol=0, atol=1e-3
    )


def head() -> SoftArgmaxKeypointHead:
    torch.manual_seed(0)
    return SoftArgmaxKeypointHead(
        ShapeSpec(channels=8, height=14, width=14), num_keypoints=17, conv_dims=[8], loss_normalizer="visible"
    )


def found(boxes: Tensor) -> Instances:
    return Instances((480, 640), pred_boxes=Boxes(boxes))


def test_each_image_gets_its_own_people():
    boxes, _ = scenes(2, people=5)
    features = torch.randn(5, 8, 14, 14)
    model = head().eval()
    with torch.no_grad():
        first, nobody, second = model(features, [found(boxes[:2]), found(boxes[:0]), found(boxes[2:])])
        expected = expected_keypoints(model.layers(features), boxes)
    torch.testing.assert_close(torch.cat([first.pred_keypoints, second.pred_keypoints]), expected)
    assert nobody.pred_keypoints.shape == (0, 17, 3)
    assert second.pred_keypoint_heatmaps.shape == (3, 17, SIDE, SIDE)


def test_the_registry_is_left_as_it_was():
    before = dict(ROI_KEYPOINT_HEAD_REGISTRY)
    with registered() as name:
        assert ROI_KEYPOINT_HEAD_REGISTRY.get(name) is SoftArgmaxKeypointHead
        with registered() as again:
            assert again == name
        assert name in ROI_KEYPOINT_HEAD_REGISTRY
    assert dict(ROI_KEYPOINT_HEAD_REGISTRY) == before
    with pytest.raises(ZeroDivisionError), registered():
        raise ZeroDivisionError
    assert dict(ROI_KEYPOINT_HEAD_REGISTRY) == before
