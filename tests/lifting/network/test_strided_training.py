import copy
import pickle
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from videopose.lifting.network.temporal_model import TemporalModel


def _model(widths: Sequence[int] = (3, 3, 3), **options: Any) -> TemporalModel:
    """A model in training, its batch norms somewhere in the middle of it."""
    torch.manual_seed(0)
    model = TemporalModel(filter_widths=widths, **{"channels": 64, "dropout": 0.0} | options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight, -1, 2)
            nn.init.normal_(module.bias)
    return model.train()


def _batch(model: TemporalModel, count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    keypoints = torch.randn(count, model.receptive_field, 17, 2, generator=generator)
    return keypoints + 0.5, torch.randn(count, 1, model.num_joints_out, 3, generator=generator)


def _gradients(model: TemporalModel, batch: tuple[Tensor, Tensor], *, plain: bool = False) -> list[Tensor]:
    """The loss, and what it says of every parameter; `plain` goes through torch's own layers."""
    keypoints, pose = batch
    out = model.forward_strided(keypoints.clone().requires_grad_() if plain else keypoints)
    loss = (out.float() - pose).norm(dim=-1).mean()
    return [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]


def _error(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).norm() / other.double().norm().clamp(min=1e-12))


NETWORKS: list[dict[str, Any]] = [
    {},
    {"causal": True},
    {"widths": (3, 5)},
    {"widths": (3, 5), "causal": True},
    {"widths": (1, 1, 1)},
    {"widths": (3,)},
    {"num_joints_out": 1},
    {"channels": 1100},  # of no round number, and several blocks
]


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_losses_gradients_and_statistics_are_the_plain_layers(options: dict[str, Any]) -> None:
    model, plain = _model(**options), _model(**options)
    batch = _batch(model, 200)
    for _ in range(3):  # the later ones in the memory of the first
        for one, other in zip(_gradients(model, batch), _gradients(plain, batch, plain=True), strict=True):
            assert _error(one, other) < 1e-5
    expected = plain.state_dict()
    for name, tensor in model.state_dict().items():
        assert _error(tensor, expected[name]) < 1e-5, name


@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_double_precision_agrees_to_its_own_accuracy(dropout: float) -> None:
    results = []
    for plain in (False, True):
        model = _model(dropout=dropout, widths=(3,)).double()
        keypoints, pose = _batch(model, 50)
        torch.manual_seed(3)
        results.append(_gradients(model, (keypoints.double(), pose.double()), plain=plain))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_bfloat16_is_as_near_to_float32_as_the_plain_layers() -> None:
    exact = _gradients(_model(), _batch(_model(), 300), plain=True)
    errors = []
    for plain in (False, True):
        model = _model()
        with torch.autocast("cpu", torch.bfloat16):
            gradients = _gradients(model, _batch(model, 300), plain=plain)
        assert all(g.dtype == torch.float32 for g in gradients)
        errors.append([_error(one, other) for one, other in zip(gradients, exact, strict=True)])
    by_hand, plain_layers = torch.tensor(errors)
    assert by_hand[0] < 0.002
    assert (by_hand < 1.3 * plain_layers + 0.003).all()


def test_bfloat16_statistics_are_those_of_the_activations() -> None:
    model, exact = _model(), _model()
    batch = _batch(model, 300)
    _gradients(exact, batch)
    with torch.autocast("cpu", torch.bfloat16):
        _gradients(model, batch)
    expected = exact.state_dict()
    for name, tensor in model.state_dict().items():
        if "running" in name:
            assert _error(tensor, expected[name]) < 0.003, name


def test_what_was_dropped_takes_no_part_in_the_gradient() -> None:
    model = _model(dropout=0.25, widths=(1, 1))
    batch = _batch(model, 100)
    first, *_ = _gradients(model, batch)
    losses = []
    for sign in (1, -1):
        torch.manual_seed(4)
        changed = copy.deepcopy(model)
        torch.manual_seed(5)
        gradients = _gradients(changed, batch)
        direction = [torch.sign(g) for g in gradients[1:]]
        slope = sum(float((g * d).sum()) for g, d in zip(gradients[1:], direction, strict=True))
        with torch.no_grad():
            for parameter, way in zip(changed.parameters(), direction, strict=True):
                parameter += sign * 1e-5 * way
        torch.manual_seed(5)
        losses.append(float(_gradients(changed, batch)[0]))
    assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(slope, rel=0.02)
    assert float(first) != losses[0]


def test_two_passes_before_their_gradients_keep_apart() -> None:
    model = _model()
    keypoints, pose = _batch(model, 40)
    apart = [_gradients(model, (k, p)) for k, p in zip(keypoints.split(20), pose.split(20), strict=True)]
    together = [(model.forward_strided(k) - p).norm(dim=-1).mean() for k, p in
                zip(keypoints.split(20), pose.split(20), strict=True)]  # fmt: skip
    gradients = torch.autograd.grad(sum(together), list(model.parameters()))  # type: ignore[arg-type]
    for both, one, other in zip(gradients, apart[0][1:], apart[1][1:], strict=True):
        torch.testing.assert_close(both, one + other, rtol=1e-4, atol=1e-6)


def test_batches_of_other_sizes() -> None:
    model, plain = _model(), _model()
    for count in (40, 7, 40, 2):
        batch = _batch(model, count)
        for one, other in zip(_gradients(model, batch), _gradients(plain, batch, plain=True), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_gradients_outlive_the_next_step() -> None:
    model = _model()
    before = _gradients(model, _batch(model, 30))
    copies = [g.clone() for g in before]
    keypoints, pose = _batch(model, 30)
    _gradients(model, (keypoints * 2, pose))
    assert all(torch.equal(g, c) for g, c in zip(before, copies, strict=True))


def test_one_backward_pass_only() -> None:
    model = _model()
    loss = model.forward_strided(_batch(model, 30)[0]).sum()
    loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    with pytest.raises(RuntimeError, match="one backward pass"):
        loss.backward()  # type: ignore[no-untyped-call]


def test_one_sample_cannot_be_normalised() -> None:
    model = _model((3, 3))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model.forward_strided(_batch(model, 1)[0])


def test_copies_and_pickles_take_no_memory_along() -> None:
    model = _model()
    small = len(pickle.dumps(model))
    before = _gradients(model, _batch(model, 50))
    assert len(pickle.dumps(model)) < 1.1 * small
    again = _gradients(copy.deepcopy(model), _batch(model, 50))
    assert all(torch.equal(one, other) for one, other in zip(before, again, strict=True))


def test_it_learns_as_the_plain_layers_do() -> None:
    """The same batches, different dropout: the curves must meet."""
    generator = torch.Generator().manual_seed(6)
    pose = torch.randn(600, 1, 17, 3, generator=generator)
    view = torch.randn(51, 34, generator=generator) / 5
    keypoints = (pose.flatten(1) @ view).view(600, 1, 17, 2).repeat(1, 9, 1, 1)
    curves = []
    for plain in (False, True):
        model = _model((3, 3), dropout=0.25)
        optimiser = torch.optim.Adam(model.parameters(), amsgrad=True, fused=True)
        curve = []
        for step in range(60):
            part = slice(step % 3 * 200, step % 3 * 200 + 200)
            shown = keypoints[part].clone().requires_grad_(plain)
            with torch.autocast("cpu", torch.bfloat16):
                out = model.forward_strided(shown)
            loss = (out.float() - pose[part]).norm(dim=-1).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            curve.append(loss.item())
        curves.append(torch.tensor(curve).view(6, 10).mean(1))
    assert curves[0][-1] < 0.9 * curves[0][0]
    torch.testing.assert_close(curves[0], curves[1], rtol=0.02, atol=0)
