import math

import numpy as np
import pytest
import torch
from torch import Tensor

from standing import STILL
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import coco_face
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.semi.networks import Prediction
from videopose.semi.second_view import TILT, SeenPoints, second_view, turned
from videopose.skeleton import COCO17, H36M17, convert

CAMERA = Lens(Intrinsics(1150.0, 1140.0, 520.0, 480.0), (-0.2, 0.24, -0.002), (-0.0009, -0.0016))
EXACT = SeenPoints.of(H36M17, exact=True)
PLACE = torch.tensor([0.4, -0.2, 4.0])


def _upright(tilt: float = 0.0) -> Tensor:
    """A standing person (17, 3) in camera space, root at 0, for a camera that is tilted by degrees."""
    pose = torch.from_numpy(STILL[:17] - STILL[0])[:, [0, 2, 1]] * torch.tensor([1.0, -1.0, 1.0])
    return turned(pose.float(), torch.tensor([1.0, 0, 0]), torch.tensor([math.radians(tilt)]))


def _prediction(pose: Tensor, samples: int) -> Prediction:
    return Prediction(pose.expand(samples, 1, 17, 3), PLACE.expand(samples, 1, 1, 3), None)


def _cameras(samples: int) -> Tensor:
    return CAMERA.parameters.expand(samples, -1)


def test_a_quarter_turn() -> None:
    axis, angle = torch.tensor([0.0, 0.0, 5.0]), torch.tensor([math.pi / 2])
    found = turned(torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]]), axis, angle)
    torch.testing.assert_close(found, torch.tensor([[-2.0, 1.0, 3.0], [0.0, 0.0, 1.0]]))


def test_turning_keeps_distances() -> None:
    points = torch.randn(5, 17, 3)
    found = turned(points, torch.randn(3), torch.rand(5, 1, 1) * 7)
    torch.testing.assert_close(torch.cdist(found, found), torch.cdist(points, points), atol=1e-4, rtol=1e-4)
    assert (found - points).norm(dim=-1).min() > 1e-4


@pytest.mark.parametrize("tilt", [0, 35])
def test_poses_are_seen_from_all_sides_and_stay_upright(tilt: float) -> None:
    torch.manual_seed(0)
    pose = _upright(tilt)
    view = second_view(_prediction(pose, 2000), _cameras(2000), EXACT, noise=0)
    feet, thorax = [H36M17.index("lfoot"), H36M17.index("rfoot")], H36M17.index("thorax")

    def up(p: Tensor) -> Tensor:
        return torch.nn.functional.normalize(p[..., thorax, :] - p[..., feet, :].mean(-2), dim=-1)

    leaning = torch.acos((up(view.pose) * up(pose)).sum(-1).clamp(-1, 1))
    assert 0.3 * TILT < leaning.mean() < 1.3 * TILT  # turned about x: less if seen along it
    assert view.pose[:, :, 0].abs().max() == 0  # the hip stays where it is

    def across(p: Tensor) -> Tensor:
        return p[..., H36M17.index("lhip"), :] - p[..., H36M17.index("rhip"), :]

    ahead = torch.nn.functional.normalize(torch.linalg.cross(across(pose), up(pose)), dim=-1)
    side = torch.nn.functional.normalize(across(pose), dim=-1)
    seen = across(view.pose)[:, 0]
    angles = torch.atan2(seen @ ahead, seen @ side)
    counts = torch.histc(angles, bins=8, min=-math.pi, max=math.pi)
    assert counts.min() > 0.75 * 2000 / 8


def test_the_keypoints_are_the_projection_of_the_turned_poses_where_people_are() -> None:
    view = second_view(_prediction(_upright(), 50), _cameras(50), EXACT, noise=0)
    placed = (view.pose + PLACE)[:, 0].numpy()
    np.testing.assert_allclose(view.keypoints[:, 0].numpy(), CAMERA.project(placed), atol=0.01)
    assert view.keypoints.shape == (50, 1, 17, 2)


def test_a_detectors_points_are_placed_as_in_simulation() -> None:
    """Eyes and ears follow from the joints of this schematic person to 2.5 cm, which are seven pixels."""
    joints = torch.from_numpy(STILL)[:, [0, 2, 1]] * torch.tensor([1.0, -1.0, 1.0]) + PLACE
    points = torch.cat([joints, torch.from_numpy(coco_face(joints.numpy()))])[list(COCO_POINTS)].numpy()
    expected = CAMERA.project(points)
    camera = CAMERA.parameters[None]
    for given in (COCO17, H36M17):
        seen = SeenPoints.of(given, exact=False).project(joints[None, None, :17].float(), camera, noise=0)
        assert np.abs(seen[0, 0].numpy() - convert(expected, COCO17, given)).max() < 8


def test_a_detector_errs_as_much_as_it_is_told() -> None:
    torch.manual_seed(0)
    joints = (_upright() + PLACE).expand(500, 1, 17, 3)
    camera, seen = _cameras(500), SeenPoints.of(COCO17, exact=False)
    errors = seen.project(joints, camera, noise=3.0) - seen.project(joints, camera, noise=0)
    assert float(errors.std()) == pytest.approx(3.0, rel=0.05)
    assert float(errors.mean()) == pytest.approx(0, abs=0.1)


def test_the_turned_poses_are_constants() -> None:
    pose = _upright().expand(4, 1, 17, 3).clone().requires_grad_()
    view = second_view(Prediction(pose, PLACE.expand(4, 1, 1, 3), None), _cameras(4), EXACT, noise=0.01)
    assert not view.pose.requires_grad
    assert not view.keypoints.requires_grad


def test_autocast_leaves_keypoints_exact() -> None:
    prediction = _prediction(_upright(), 8)
    torch.manual_seed(0)
    plain = second_view(prediction, _cameras(8), EXACT, noise=0)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        cast = second_view(prediction, _cameras(8), EXACT, noise=0)
    assert torch.equal(plain.keypoints, cast.keypoints)


def test_a_batch_of_poses_of_one_point_stays_finite() -> None:
    view = second_view(_prediction(torch.zeros(17, 3), 4), _cameras(4), EXACT, noise=0)
    assert torch.isfinite(view.keypoints).all()
