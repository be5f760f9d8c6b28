from typing import Any

import pytest
import torch
from torch import Tensor

from videopose.lifting.network.fused_model import PackedLinear


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rectify", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("shape", [(5, 7, 30), (1, 30), (300, 30)])
def test_it_is_the_product(shape: tuple[int, ...], biased: bool, rectify: bool, dtype: torch.dtype) -> None:
    matrix, bias, x = _random(20, 30).to(dtype), _random(20).to(dtype) if biased else None, _random(*shape)
    out = PackedLinear(matrix, bias, rectify=rectify)(x)
    expected = x.to(dtype).double() @ matrix.double().T + (0 if bias is None else bias.double())
    expected = expected.relu() if rectify else expected
    assert out.dtype == dtype
    assert out.shape == (*shape[:-1], 20)
    exactness: dict[str, Any] = {"rtol": 1e-2, "atol": 1e-1} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(out, expected.to(dtype), **exactness)


def test_rows_and_columns_may_lie_anywhere() -> None:
    matrix, x = _random(20, 50)[:, 10:40], _random(30, 9).T
    torch.testing.assert_close(PackedLinear(matrix)(x), x @ matrix.T)


def test_nothing_times_nothing_is_the_bias() -> None:
    bias = _random(20)
    out = PackedLinear(torch.empty(20, 0), bias)(torch.empty(3, 0))
    torch.testing.assert_close(out, bias.expand(3, 20))
