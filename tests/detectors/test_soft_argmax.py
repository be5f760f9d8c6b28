import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videopose.detectors.soft_argmax import highest_cell, soft_argmax


def gaussians(centres: Tensor, spread: float, size: int = 56) -> Tensor:
    """(…, 2) centres in cells → (…, size, size) log probabilities, up to a constant."""
    cells = torch.arange(size, dtype=centres.dtype)
    x, y = ((cells - centre[..., None]) ** 2 for centre in centres.unbind(-1))
    return -(y[..., :, None] + x[..., None, :]) / (2 * spread**2)


def reference(heatmap: NDArray[np.float32]) -> tuple[float, float]:
    """The expected position cell by cell, in double precision."""
    values = heatmap.astype(np.float64)
    chance = np.exp(values - values.max())
    chance /= chance.sum()
    rows, columns = heatmap.shape
    x = sum(chance[row, column] * column for row in range(rows) for column in range(columns))
    y = sum(chance[row, column] * row for row in range(rows) for column in range(columns))
    return float(x), float(y)


def test_all_people_and_joints_as_one_by_one_in_double_precision():
    heatmaps = 6 * torch.randn(3, 4, 40, 56, generator=torch.Generator().manual_seed(0))
    positions, _ = soft_argmax(heatmaps)
    expected = [[reference(joint.numpy()) for joint in person] for person in heatmaps]
    assert positions.shape == (3, 4, 2)
    # a cell of a box that fills a 1080p frame is 34 pixels: a thousandth of a pixel is 3e-5 cells
    np.testing.assert_allclose(positions.numpy(), expected, rtol=0, atol=2e-5)


def test_positions_between_cells():
    centres = 10 + 36 * torch.rand(50, 17, 2, generator=torch.Generator().manual_seed(1))
    positions, confidence = soft_argmax(gaussians(centres, spread=1.5))
    assert (positions - centres).abs().max() < 1e-3
    assert (highest_cell(gaussians(centres, spread=1.5)) - centres).norm(dim=-1).mean() > 0.3
    assert (confidence > 0.7).all()


def test_a_flat_background_draws_to_the_middle_and_a_radius_keeps_it_out():
    centres = 10 + 36 * torch.rand(200, 2, generator=torch.Generator().manual_seed(2))
    likely = gaussians(centres, spread=1.5).exp()
    heatmaps = (likely / likely.sum((-1, -2), keepdim=True) + 0.02 / 56**2).log()
    drawn = (soft_argmax(heatmaps)[0] - centres).norm(dim=-1)
    kept = (soft_argmax(heatmaps, radius=6)[0] - centres).norm(dim=-1)
    assert kept.mean() < 0.1 < drawn.mean()


def test_maps_that_are_no_log_probabilities_need_a_temperature():
    centres = 10 + 36 * torch.rand(50, 2, generator=torch.Generator().manual_seed(3))
    heatmaps = gaussians(centres, spread=2).exp()
    assert (soft_argmax(heatmaps)[0] - 27.5).abs().max() < 0.5
    assert (soft_argmax(heatmaps, temperature=0.05, radius=6)[0] - centres).norm(dim=-1).max() < 0.1


def test_confidence():
    one = gaussians(torch.tensor([20.0, 30.0]), spread=1)
    two = torch.logaddexp(one, gaussians(torch.tensor([50.0, 10.0]), spread=1))
    flat = torch.zeros(56, 56)
    sure, torn, lost = soft_argmax(torch.stack([one, two, flat]))[1].tolist()
    assert 1 > sure > 0.85 > 0.05 > torn > 0
    assert 0.05 > lost > 0


def test_half_precision_is_computed_in_single():
    heatmaps = gaussians(torch.tensor([[20.3, 30.7]]), spread=2)
    positions, confidence = soft_argmax(heatmaps.bfloat16())
    assert positions.dtype == confidence.dtype == torch.float32
    torch.testing.assert_close(positions, soft_argmax(heatmaps.bfloat16().float())[0])


def test_it_is_differentiable():
    heatmap = torch.randn(2, 5, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(soft_argmax, heatmap)


@pytest.mark.parametrize("people", [0, 1])
def test_nobody(people: int):
    positions, confidence = soft_argmax(torch.zeros(people, 17, 56, 56), radius=3)
    assert positions.shape == (people, 17, 2)
    assert confidence.shape == (people, 17)
