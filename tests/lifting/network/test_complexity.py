from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from videopose.lifting.network.complexity import complexity, receptive_seconds
from videopose.lifting.network.temporal_model import TemporalModel


@pytest.mark.parametrize(
    ("widths", "dense", "parameters", "flops"),
    [
        ((3, 3, 3), True, "29.53", "59.03"),
        ((3, 3, 3), False, "8.56", "17.09"),
        ((3, 3, 3, 3), False, "12.75", "25.48"),
        ((3, 3, 3, 3, 3), False, "16.95", "33.87"),
    ],
)
def test_table_5_to_its_printed_precision(
    widths: tuple[int, ...], dense: bool, parameters: str, flops: str
) -> None:
    cost = complexity(TemporalModel(filter_widths=widths, dense=dense))
    assert f"{cost.parameters / 1e6:.2f}" == parameters
    assert f"{cost.flops_per_frame / 1e6:.2f}" == flops


def test_causal_models_cost_the_same() -> None:
    assert complexity(TemporalModel(causal=True)) == complexity(TemporalModel())


@pytest.mark.parametrize(
    "shape",
    [
        {"filter_widths": (3, 5, 3)},
        {"filter_widths": (3, 3, 3), "dense": True},
        {"filter_widths": (1, 1, 1)},
        {"filter_widths": (3, 3), "num_joints_in": 15, "num_joints_out": 1, "causal": True},
    ],
)
def test_flops_are_what_another_frame_costs_torch(shape: dict[str, Any]) -> None:
    model = TemporalModel(channels=8, **shape).eval()

    def counted(frames: int) -> int:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, frames, model.num_joints_in, 2))
        return counter.get_total_flops()

    assert counted(90) - counted(89) == complexity(model).flops_per_frame


def test_parameters_are_what_an_optimiser_is_given() -> None:
    model = TemporalModel(filter_widths=(3, 3), channels=4)
    expected = 34 * 4 * 3 + 8 + (4 * 4 * 3 + 8) + (4 * 4 + 8) + (4 * 51 + 51)
    assert complexity(model).parameters == expected


def test_seconds_follow_from_the_rate() -> None:
    model = TemporalModel(filter_widths=(3, 3, 3), channels=1)
    assert receptive_seconds(model, 50) == pytest.approx(0.54)
    assert receptive_seconds(model, 30) == pytest.approx(0.9)
    assert receptive_seconds(model, None) is None
