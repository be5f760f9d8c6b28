from typing import Any

import pytest
import torch
from torch import Tensor, nn

from videopose.lifting.network.fused_model import FoldedModel
from videopose.lifting.network.temporal_model import TemporalModel


def _model(widths: tuple[int, ...] = (3, 3, 3), **options: Any) -> TemporalModel:
    """A model in evaluation mode, with batch norms as if it had been trained."""
    torch.manual_seed(0)
    model = TemporalModel(filter_widths=widths, **{"channels": 48} | options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return model.eval()


def _keypoints(count: int, frames: int) -> Tensor:
    return torch.randn(count, frames, 17, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("widths", "dense"),
    [((3, 3, 3), False), ((5, 1, 3), False), ((1, 1), False), ((3,), False), ((3, 3, 3), True)],
)
def test_folding_changes_nothing(widths: tuple[int, ...], dense: bool, causal: bool) -> None:
    model = _model(widths, dense=dense, causal=causal).double()
    keypoints = _keypoints(3, model.receptive_field + 5).double()
    out = FoldedModel(model, torch.float64)(keypoints)
    assert out.shape == (3, 6, 17, 3)
    torch.testing.assert_close(out, model(keypoints))


def test_a_trajectory_model() -> None:
    model = _model(num_joints_out=1)
    keypoints = _keypoints(2, 30)
    torch.testing.assert_close(FoldedModel(model, torch.float32)(keypoints), model(keypoints))


def test_bfloat16_is_near() -> None:
    model = _model(channels=256)
    keypoints = _keypoints(2, 60)
    out, exact = FoldedModel(model, torch.bfloat16)(keypoints), model(keypoints)
    assert out.dtype == torch.float32
    error = (out - exact).norm() / exact.norm()
    assert 1e-5 < error < 0.01


def test_the_weights_are_those_of_the_moment() -> None:
    model = _model()
    keypoints = _keypoints(1, 30)
    before = FoldedModel(model, torch.float32)
    expected = before(keypoints)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    torch.testing.assert_close(before(keypoints), expected, rtol=0, atol=0)
    torch.testing.assert_close(FoldedModel(model, torch.float32)(keypoints), model(keypoints))
