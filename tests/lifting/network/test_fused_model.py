from typing import Any

import pytest
import torch
from torch import Tensor, nn

from videopose.lifting.network.fused_model import FusedLinear, FusedModel
from videopose.lifting.network.temporal_model import TemporalModel


def _model(widths: tuple[int, ...] = (3, 3, 3), **options: Any) -> TemporalModel:
    """A model in evaluation mode, with the batch-norm statistics of a trained one."""
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
def test_the_fused_model_equals_the_model(widths: tuple[int, ...], dense: bool, causal: bool) -> None:
    model = _model(widths, dense=dense, causal=causal).double()
    keypoints = _keypoints(3, model.receptive_field + 5).double()
    out = FusedModel(model, torch.float64)(keypoints)
    assert out.shape == (3, 6, 17, 3)
    torch.testing.assert_close(out, model(keypoints))


def test_a_trajectory_model() -> None:
    model = _model(num_joints_out=1)
    keypoints = _keypoints(2, 30)
    torch.testing.assert_close(FusedModel(model, torch.float32)(keypoints), model(keypoints))


def test_bfloat16_is_close_to_float32() -> None:
    model = _model(channels=256)
    keypoints = _keypoints(2, 60)
    out, exact = FusedModel(model, torch.bfloat16)(keypoints), model(keypoints)
    assert out.dtype == torch.float32
    error = (out - exact).norm() / exact.norm()
    assert 1e-5 < error < 0.01


def test_later_changes_of_the_model_do_not_reach_the_fused_model() -> None:
    model = _model()
    keypoints = _keypoints(1, 30)
    before = FusedModel(model, torch.float32)
    expected = before(keypoints)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    torch.testing.assert_close(before(keypoints), expected, rtol=0, atol=0)
    torch.testing.assert_close(FusedModel(model, torch.float32)(keypoints), model(keypoints))


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rectify", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("shape", [(5, 7, 30), (1, 30), (300, 30)])
def test_a_fused_linear_is_the_product(
    shape: tuple[int, ...], biased: bool, rectify: bool, dtype: torch.dtype
) -> None:
    matrix, bias, x = _random(20, 30).to(dtype), _random(20).to(dtype) if biased else None, _random(*shape)
    out = FusedLinear(matrix, bias, rectify=rectify)(x)
    expected = x.to(dtype).double() @ matrix.double().T + (0 if bias is None else bias.double())
    expected = expected.relu() if rectify else expected
    assert out.dtype == dtype
    assert out.shape == (*shape[:-1], 20)
    exactness: dict[str, Any] = {"rtol": 1e-2, "atol": 1e-1} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(out, expected.to(dtype), **exactness)


def test_a_fused_linear_function_takes_strided_matrices_and_inputs() -> None:
    matrix, x = _random(20, 50)[:, 10:40], _random(30, 9).T
    torch.testing.assert_close(FusedLinear(matrix)(x), x @ matrix.T)


def test_a_product_of_no_columns_is_the_bias() -> None:
    bias = _random(20)
    out = FusedLinear(torch.empty(20, 0), bias)(torch.empty(3, 0))
    torch.testing.assert_close(out, bias.expand(3, 20))
