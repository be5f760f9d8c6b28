import pytest
import torch

from videopose.lifting.cameras.input_space import centre, centre_visible
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.network.widening import with_visibility


def test_the_wider_model_answers_alike_where_everything_is_visible() -> None:
    torch.manual_seed(1)
    model = TemporalModel(filter_widths=(3, 3), channels=16).eval()
    wide = TemporalModel(in_features=3, filter_widths=(3, 3), channels=16).eval()
    wide.load_state_dict(with_visibility(model.state_dict(), joints=17))
    rays = 0.1 * torch.randn(1, model.receptive_field + 3, 17, 2, generator=torch.manual_seed(0))
    with torch.inference_mode():
        before = model(centre(rays)[0])
        after = wide(centre_visible(rays, torch.ones(rays.shape[:-1], dtype=torch.bool))[0])
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)


def test_a_model_that_reads_three_numbers_already_is_refused() -> None:
    weights = TemporalModel(in_features=3, filter_widths=(1,), channels=8).state_dict()
    with pytest.raises(ValueError, match="expected a model that reads 34 numbers, found 51"):
        with_visibility(weights, joints=17)
