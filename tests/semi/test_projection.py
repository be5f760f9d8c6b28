import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.semi.projection import NEAR, project, reciprocal

PHONE = Intrinsics(1500.0, 1490.0, 960.0, 540.0)
STUDIO = CAMERAS["S1"][0].lens
assert STUDIO is not None
OPENCV = {
    f"opencv, {len(factors)} factors": Lens.of_model(PHONE, "opencv", factors)
    for factors in (
        (-0.31, 0.12, 0.0011, -0.0007),
        (0.11, -0.2, 0.0011, -0.0007, 0.12),
        (0.9, 0.2, 1e-4, 2e-4, 0.002, 1.2, 0.4, 0.02),
    )
}
LENSES = {"linear": Lens(PHONE), "human36m": STUDIO, **OPENCV}
every_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)


def camera_parameters(lenses: Sequence[Lens]) -> Tensor:
    """(N, 14): a row for each sample."""
    return torch.stack([lens.parameters for lens in lenses])


def _people(samples: int = 4, *, wide: float = 0.4) -> Tensor:
    """(N, 5, 17, 3) points 3 to 6 m away, up to `wide` times their distance off axis."""
    random = torch.Generator().manual_seed(0)
    xyz = torch.rand(samples, 5, 17, 3, generator=random, dtype=torch.float64)
    depth = 3 + 3 * xyz[..., 2:]
    return torch.cat([(2 * xyz[..., :2] - 1) * wide * depth, depth], -1)


def _by(lens: Lens, points: Tensor) -> Tensor:
    return project(points, camera_parameters([lens] * len(points)))


@pytest.mark.parametrize("lens", [LENSES["linear"], *OPENCV.values()], ids=["linear", *OPENCV])
def test_it_is_what_opencv_projects(lens: Lens) -> None:
    c, points = lens.intrinsics, _people()
    matrix = np.array([[c.fx, 0, c.cx], [0, c.fy, c.cy], [0, 0, 1]])
    factors = np.zeros(4) if lens.linear else np.array(lens.coefficients)
    expected, _ = cv2.projectPoints(points.reshape(-1, 3).numpy(), np.zeros(3), np.zeros(3), matrix, factors)
    np.testing.assert_allclose(_by(lens, points).reshape(-1, 2), expected[:, 0], atol=1e-4)


def test_human36m_is_the_published_formula_wherever_that_does_not_clamp() -> None:
    """x (1 + k·(r², r⁴, r⁶) + p·x) + p r², times f, plus c (VideoPose3D, `project_to_2d`)."""
    lenses = [camera.lens for camera in CAMERAS["S1"] if camera.lens is not None]
    points = _people(len(lenses), wide=0.99)
    pixels = project(points, camera_parameters(lenses))
    for lens, people, projected in zip(lenses, points.numpy(), pixels.numpy(), strict=True):
        x = people[..., :2] / people[..., 2:]
        square = (x**2).sum(-1, keepdims=True)
        radial = 1 + (np.array(lens.radial) * np.concatenate([square, square**2, square**3], -1)).sum(
            -1, keepdims=True
        )
        p, c = np.array(lens.tangential), lens.intrinsics
        bent = x * (radial + (p * x).sum(-1, keepdims=True)) + p * square
        np.testing.assert_allclose(projected, bent * [c.fx, c.fy] + [c.cx, c.cy], atol=1e-4)


def test_samples_have_cameras_of_their_own() -> None:
    points, lenses = _people(len(LENSES)), list(LENSES.values())
    together = project(points, camera_parameters(lenses))
    for n, lens in enumerate(lenses):
        torch.testing.assert_close(together[n : n + 1], _by(lens, points[n : n + 1]))
    np.testing.assert_allclose(together[1].numpy(), STUDIO.project(points[1].numpy()), atol=1e-3)


def test_any_precision_and_any_number_of_axes() -> None:
    points = _people()
    for fewer in (points[:, 0, 0], points[:, 0], points):
        pixels = _by(STUDIO, fewer.float())
        assert pixels.shape == (*fewer.shape[:-1], 2)
        assert pixels.dtype == torch.float32
        torch.testing.assert_close(pixels.double(), _by(STUDIO, fewer), atol=1e-2, rtol=0)


@every_lens
def test_gradients_are_those_of_the_values(lens: Lens) -> None:
    # before the camera and far off axis, around the near plane, behind it, and where formulas are continued
    points = torch.tensor(
        [
            [[0.3, -0.2, 4.0], [0.0, 0.0, 3.0], [7.0, 1.0, 4.0], [9.0, -9.0, 1.0]],
            [[0.1, 0.1, NEAR + 1e-3], [0.1, 0.1, NEAR - 1e-3], [0.5, -0.3, 0.0], [-0.4, 0.9, -3.0]],
        ],
        dtype=torch.float64,
        requires_grad=True,
    )
    parameters = camera_parameters([lens, lens])
    assert torch.autograd.gradcheck(lambda p: project(p, parameters) / 1000, (points,), atol=1e-4)


def test_gradients_by_the_cameras_factors() -> None:
    points = _people(2)[:, :1, :3]
    parameters = camera_parameters([STUDIO, OPENCV["opencv, 8 factors"]]).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: project(points, p) / 1000, (parameters,))


@every_lens
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_everywhere(lens: Lens, dtype: torch.dtype) -> None:
    near = torch.tensor([-100.0, -10, -1, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.1, 1, 10, 100], dtype=dtype)
    depth = torch.cat([near, torch.tensor([NEAR, -NEAR], dtype=dtype)])
    points = torch.cartesian_prod(near, near, depth).requires_grad_()
    pixels = _by(lens, points[None])
    assert pixels.isfinite().all()
    (gradient,) = torch.autograd.grad(pixels.norm(dim=-1).mean(), points)
    assert gradient.isfinite().all()


@every_lens
@pytest.mark.parametrize("degrees", [30, 50, 60, 75, 85])
@pytest.mark.parametrize("towards", [(1, 0), (0, -1), (-0.6, 0.8)])
def test_far_off_axis_gradients_still_point_the_right_way(
    lens: Lens, degrees: float, towards: tuple[float, float]
) -> None:
    """A point seen too far out is told to come in and to move away, one too far in to do the opposite."""
    direction, off = torch.tensor(towards, dtype=torch.float64), math.radians(degrees)
    point = torch.cat([direction * math.sin(off), torch.tensor([math.cos(off)])]) * 4
    for side in (1.2, 0.8):
        wrong = torch.cat([point[:2] * side, point[2:]]).requires_grad_()
        miss = (_by(lens, wrong[None]) - _by(lens, point[None])).norm()
        (gradient,) = torch.autograd.grad(miss, wrong)
        outwards = float(gradient[:2] @ direction)
        assert outwards * (side - 1) > 0
        assert float(gradient[2]) * (side - 1) < 0
        assert abs(outwards) > 5  # pixels a metre


@every_lens
def test_no_two_directions_fall_together(lens: Lens) -> None:
    off = torch.linspace(0.0, 89.0, 500, dtype=torch.float64).deg2rad()
    zero = torch.zeros_like(off)
    for points in ([off.sin(), zero, off.cos()], [zero, -off.sin(), off.cos()]):
        pixels = _by(lens, torch.stack(points, -1)[None])[0]
        far = (pixels - pixels[0]).norm(dim=-1)
        assert (far.diff() > 0).all()


@every_lens
def test_a_person_is_found_by_following_gradients(lens: Lens) -> None:
    """From behind the camera, from 76° off axis and from right at the lens."""
    body = _people(1)[:, 0] * torch.tensor([0.3, 0.5, 0.1], dtype=torch.float64)
    body = body - body.mean(1, keepdim=True)
    truth = torch.tensor([0.4, -0.3, 4.5], dtype=torch.float64)
    seen = _by(lens, body + truth)
    starts = [[[0.5, 0.0, -1.0]], [[-6.0, 2.0, 1.5]], [[0.0, 0.0, 0.05]]]
    root = torch.tensor(starts, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([root], lr=0.05, betas=(0.9, 0.9))
    for _ in range(300):
        optimiser.zero_grad()
        (_by(lens, body + root) - seen).norm(dim=-1).mean(1).sum().backward()
        optimiser.step()
    np.testing.assert_allclose(root.detach()[:, 0], truth.expand(3, 3), atol=0.2)


def test_the_reciprocal_is_continued_smoothly() -> None:
    z = torch.linspace(-5, 1, 60001, dtype=torch.float64, requires_grad=True)
    value = reciprocal(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    assert (value > 0).all()
    assert (slope < 0).all()
    front = z.detach() >= NEAR
    torch.testing.assert_close(value[front], 1 / z[front])
    assert slope.diff().abs().max() < 0.1  # of 25 at its steepest: no kink


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="expected points"):
        project(_people(3), camera_parameters([STUDIO, STUDIO]))
    with pytest.raises(ValueError, match="expected points"):
        project(torch.zeros(2, 4), camera_parameters([STUDIO, STUDIO]))
