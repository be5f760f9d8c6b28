import pytest
import torch
from torch.nn import functional as F

from videopose.lifting.network.dropout import Dropper, relu_dropout


def _activations(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("probability", "training"), [(0.25, False), (0.0, True), (0.0, False)])
def test_outside_training_it_only_rectifies(probability: float, training: bool) -> None:
    x = _activations(5, 7)
    state = torch.get_rng_state()
    assert torch.equal(relu_dropout(x, probability, training), F.relu(x))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_quarter_is_exact() -> None:
    torch.manual_seed(0)
    x = _activations(200_000).abs() + 0.1
    out = relu_dropout(x, 0.25, True)
    kept = out != 0
    torch.testing.assert_close(out[kept], x[kept] * 4 / 3)
    # 200 000 draws: one standard deviation of the share is 0.001.
    assert float(kept.float().mean()) == pytest.approx(0.75, abs=0.004)


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.25, 0.5, 0.9, 0.999])
def test_the_expectation_is_that_of_relu(probability: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(1_000_000)
    out = relu_dropout(x, probability, True)
    deviation = (probability / (1 - probability) / len(x)) ** 0.5
    assert float(out.mean()) == pytest.approx(1, abs=5 * deviation)
    assert float((out == 0).float().mean()) == pytest.approx(probability, abs=1 / 512 + 0.002)


def test_negative_activations_stay_zero() -> None:
    x = _activations(1000)
    torch.manual_seed(0)
    assert (relu_dropout(x, 0.25, True)[x <= 0] == 0).all()


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (relu_dropout(torch.ones(400_000), 0.5, True) > 0).float() - 0.5
    for shift in (1, 2, 7, 8, 64):  # eight activations share one draw of the generator
        assert abs(float((kept[shift:] * kept[:-shift]).mean())) < 0.0025, shift


@pytest.mark.parametrize("shape", [(1,), (7,), (8,), (3, 5), (2, 3, 11), (0, 4)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    x = torch.full(shape, 3.0)
    out = relu_dropout(x, 0.25, True)
    assert out.shape == shape
    assert ((out == 0) | (out == 4)).all()


def test_strided_input_and_half_precision() -> None:
    x = torch.full((6, 10), 3.0).T
    assert ((y := relu_dropout(x, 0.25, True)) == 4).any()
    assert y.shape == (10, 6)
    half = relu_dropout(x.bfloat16(), 0.25, True)
    assert half.dtype == torch.bfloat16
    assert ((half == 0) | (half == 4)).all()


def test_the_seed_decides() -> None:
    x = _activations(1000)
    torch.manual_seed(3)
    first, second = relu_dropout(x, 0.25, True), relu_dropout(x, 0.25, True)
    torch.manual_seed(3)
    assert torch.equal(relu_dropout(x, 0.25, True), first)
    assert not torch.equal(first, second)


def test_the_input_is_left_alone() -> None:
    x = _activations(100)
    before = x.clone()
    relu_dropout(x, 0.25, True)
    assert torch.equal(x, before)


def test_the_gradient_passes_where_something_passed() -> None:
    x = _activations(50, 40).requires_grad_()
    torch.manual_seed(0)
    out = relu_dropout(x, 0.25, True)
    upstream = _activations(50, 40) + 5
    (gradient,) = torch.autograd.grad(out, x, upstream)
    torch.testing.assert_close(gradient, torch.where(out > 0, upstream * 4 / 3, 0))
    assert (upstream == _activations(50, 40) + 5).all()  # not changed in place


def test_the_gradient_is_the_slope() -> None:
    def seeded(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return relu_dropout(x, 0.4, True)

    x = _activations(6, 5).double()
    x = (x + 0.1 * x.sign()).requires_grad_()  # away from the kink
    assert torch.autograd.gradcheck(seeded, (x,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("probability", [0.25, 0.5, 0.125, 0.1, 0.9])
def test_masks_that_share_draws_are_independent(dtype: torch.dtype, probability: float) -> None:
    torch.manual_seed(0)
    dropper = Dropper(probability)
    masks = []
    for _ in range(40):  # more than one draw has bits for, whatever the type
        x = torch.ones(20_000, dtype=dtype)
        dropper.drop_(x)
        assert ((x == 0) | (x == 1)).all()
        masks.append(x)
    kept = torch.stack(masks).double()
    dropped = round(probability * 256) / 256
    assert float(kept.mean()) == pytest.approx(1 - dropped, abs=0.003)
    assert dropper.scale == pytest.approx(1 / (1 - dropped))
    correlation = torch.corrcoef(kept).fill_diagonal_(0)  # of masks; deviation 0.007 by chance
    assert float(correlation.abs().max()) < 0.035
    neighbours = (kept[:, 1:] - kept.mean()) * (kept[:, :-1] - kept.mean())
    assert abs(float(neighbours.mean())) / float(kept.var()) < 0.006


def test_a_shorter_block_after_a_longer_one() -> None:
    torch.manual_seed(0)
    dropper = Dropper(0.5)
    for size in (1000, 10, 3000, 1, 0, 2999):
        x = torch.ones(size, dtype=torch.bfloat16)
        dropper.drop_(x)
        assert ((x == 0) | (x == 1)).all()
        if size > 100:
            assert 0.4 < float(x.float().mean()) < 0.6


@pytest.mark.parametrize(
    ("probability", "share"), [(0.0, 0), (1e-9, 1 / 256), (0.25, 0.25), (0.9999, 255 / 256)]
)
def test_probabilities_are_rounded_but_never_to_none_or_all(probability: float, share: float) -> None:
    torch.manual_seed(0)
    dropper, x = Dropper(probability), torch.ones(1_000_000)
    assert dropper.scale == 1 / (1 - share)
    dropper.drop_(x)
    assert float((x == 0).double().mean()) == pytest.approx(share, abs=0.002)


def test_what_is_not_a_number_stays_so_unless_it_is_dropped() -> None:
    torch.manual_seed(0)
    x = torch.full((1000,), float("nan"))
    Dropper(0.25).drop_(x)
    assert (x.isnan() | (x == 0)).all()
    assert 700 < int(x.isnan().sum()) < 800
