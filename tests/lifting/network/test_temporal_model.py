from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videopose.lifting.network.temporal_model import TemporalModel


def _model(
    widths: Sequence[int], *, causal: bool = False, dense: bool = False, **other: Any
) -> TemporalModel:
    """A small model in double precision, in evaluation mode, with batch norms as if it had been trained."""
    torch.manual_seed(0)
    options: dict[str, Any] = {"channels": 8, "num_joints_in": 4, "num_joints_out": 3} | other
    model = TemporalModel(filter_widths=widths, causal=causal, dense=dense, **options).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return model.eval()


def _keypoints(count: int, frames: int, joints: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, frames, joints, 2, generator=generator, dtype=torch.float64)


def _reference(
    state: dict[str, Tensor], keypoints: Tensor, widths: Sequence[int], causal: bool, dense: bool
) -> Tensor:
    """Figure 2 of the paper, frame by frame: (T, J, 2) → (T − receptive field + 1, J_out, 3)."""

    def norm(rows: Tensor, name: str) -> Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return (rows - mean) / (var + 1e-5).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]

    def layer(rows: Tensor, convolution: str, name: str, dilation: int) -> Tensor:
        kernel = state[f"{convolution}.weight"]
        taps = kernel.shape[2]
        out = [
            sum(kernel[:, :, k] @ rows[t + k * dilation] for k in range(taps))
            for t in range(len(rows) - (taps - 1) * dilation)
        ]
        return F.relu(norm(torch.stack(out), name))  # type: ignore[arg-type]

    x = layer(keypoints.flatten(1), "expand_conv", "expand_bn", 1)
    dilation = widths[0]
    for block, width in enumerate(widths[1:]):
        y = layer(x, f"layers_conv.{2 * block}", f"layers_bn.{2 * block}", 1 if dense else dilation)
        y = layer(y, f"layers_conv.{2 * block + 1}", f"layers_bn.{2 * block + 1}", 1)
        # The residual of an output frame is the frame it stands for: the last it saw, or the middle one.
        back = (width - 1) * dilation
        x = torch.stack([y[t] + x[t + (back if causal else back // 2)] for t in range(len(y))])
        dilation *= width
    out = x @ state["shrink.weight"][:, :, 0].T + state["shrink.bias"]
    return out.reshape(len(out), -1, 3)


WIDTHS = [(3, 3), (3, 3, 3), (1, 1, 1), (5, 3), (3, 1, 5), (3,), (7, 1)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_dilated_form_is_the_paper_s(widths: tuple[int, ...], causal: bool) -> None:
    model = _model(widths, causal=causal)
    keypoints = _keypoints(2, model.receptive_field + 4)
    out = model(keypoints)
    assert out.shape == (2, 5, 3, 3)
    for sample in range(2):
        expected = _reference(model.state_dict(), keypoints[sample], widths, causal, dense=False)
        torch.testing.assert_close(out[sample], expected)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 3)])
def test_the_dense_form_is_the_paper_s(widths: tuple[int, ...], causal: bool) -> None:
    model = _model(widths, causal=causal, dense=True)
    keypoints = _keypoints(1, model.receptive_field + 3)
    expected = _reference(model.state_dict(), keypoints[0], widths, causal, dense=True)
    torch.testing.assert_close(model(keypoints)[0], expected)


def test_a_dense_model_with_holes_is_the_dilated_one() -> None:
    dilated, dense = _model((3, 3, 3)), _model((3, 3, 3), dense=True)
    state = dense.state_dict()
    for name, tensor in dilated.state_dict().items():
        if state[name].shape == tensor.shape:
            state[name] = tensor
        else:
            state[name] = torch.zeros_like(state[name])
            state[name][:, :, :: (state[name].shape[2] - 1) // 2] = tensor
    dense.load_state_dict(state)
    keypoints = _keypoints(2, 30)
    torch.testing.assert_close(dense(keypoints), dilated(keypoints))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_strided_form_gives_the_same_numbers_and_gradients(widths: tuple[int, ...], causal: bool) -> None:
    model = _model(widths, causal=causal)
    keypoints = _keypoints(3, model.receptive_field).requires_grad_()
    target = torch.randn(3, 1, 3, 3, dtype=torch.float64)
    results = []
    for form in (model, model.forward_strided):
        out = form(keypoints)
        assert out.shape == (3, 1, 3, 3)
        wanted = [keypoints, *model.parameters()]
        results.append([out, *torch.autograd.grad((out - target).norm(dim=-1).mean(), wanted)])
    for dilated, strided in zip(*results, strict=True):
        torch.testing.assert_close(strided, dilated)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(3,), (5, 1, 1), (1, 1)])
def test_in_training_both_forms_agree_where_every_computed_frame_is_read(
    widths: tuple[int, ...], causal: bool
) -> None:
    one, other = (_model(widths, causal=causal, dropout=0.0).train() for _ in range(2))
    keypoints = _keypoints(6, one.receptive_field)
    torch.testing.assert_close(one(keypoints), other.forward_strided(keypoints))
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, msg=name)


def test_in_training_the_strided_form_normalises_over_the_frames_it_reads() -> None:
    model = _model((3, 5), dropout=0.0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    keypoints = _keypoints(4, 15)
    out = model.train().forward_strided(keypoints)

    def layer(x: Tensor, convolution: str, name: str, stride: int) -> Tensor:
        x = F.conv1d(x, before[f"{convolution}.weight"], stride=stride)
        mean, var = x.mean((0, 2)), x.var((0, 2), unbiased=False)
        torch.testing.assert_close(
            model.state_dict()[f"{name}.running_mean"], 0.9 * before[f"{name}.running_mean"] + 0.1 * mean
        )
        torch.testing.assert_close(
            model.state_dict()[f"{name}.running_var"],
            0.9 * before[f"{name}.running_var"] + 0.1 * x.var((0, 2), unbiased=True),
        )
        x = (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
        return F.relu(x * before[f"{name}.weight"][:, None] + before[f"{name}.bias"][:, None])

    x = layer(keypoints.flatten(2).transpose(1, 2), "expand_conv", "expand_bn", 3)
    assert x.shape == (4, 8, 5)
    y = layer(x, "layers_conv.0", "layers_bn.0", 5)
    y = layer(y, "layers_conv.1", "layers_bn.1", 1) + x[:, :, 2:3]
    expected = F.conv1d(y, before["shrink.weight"], before["shrink.bias"])
    torch.testing.assert_close(out.reshape(4, 9), expected[:, :, 0])


@pytest.mark.parametrize(
    ("options", "millions"),
    [
        ({"filter_widths": (3, 3, 3)}, 8.56),
        ({"filter_widths": (3, 3, 3, 3)}, 12.75),
        ({"filter_widths": (3, 3, 3, 3, 3)}, 16.95),
        ({}, 16.95),
        ({"filter_widths": (3, 3, 3), "dense": True}, 29.53),
        ({"filter_widths": (3, 3, 3), "causal": True}, 8.56),
    ],
)
def test_parameter_counts_are_the_paper_s(options: dict[str, Any], millions: float) -> None:
    with torch.device("meta"):
        model = TemporalModel(**options)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(
    ("widths", "frames"),
    [((3, 3, 3), 27), ((3, 3, 3, 3), 81), ((3,) * 5, 243), ((1, 1, 1), 1), ((3, 1, 5), 15)],
)
def test_receptive_fields_and_padding(widths: tuple[int, ...], frames: int) -> None:
    with torch.device("meta"):
        model, causal = (TemporalModel(filter_widths=widths, causal=c, channels=4) for c in (False, True))
    assert model.receptive_field == causal.receptive_field == frames
    assert model.padding == ((frames - 1) // 2, (frames - 1) // 2)
    assert causal.padding == (frames - 1, 0)


@pytest.mark.parametrize("causal", [False, True])
def test_which_frames_an_output_looks_at(causal: bool) -> None:
    model = _model((3, 3, 3), causal=causal, channels=32)
    keypoints = _keypoints(1, 40).requires_grad_()
    (gradient,) = torch.autograd.grad(model(keypoints)[0, 5].square().sum(), keypoints)
    seen = gradient[0].abs().sum((1, 2)) > 0
    assert seen.nonzero()[:, 0].tolist() == list(range(5, 32))  # the 27 frames of its window and no other


def test_a_model_of_widths_one_lifts_every_frame_by_itself() -> None:
    model = _model((1, 1, 1))
    keypoints = _keypoints(1, 6)
    alone = torch.cat([model(keypoints[:, t : t + 1]) for t in range(6)], 1)
    torch.testing.assert_close(model(keypoints), alone)


def test_a_trajectory_model_gives_one_joint() -> None:
    assert _model((3, 3), num_joints_out=1)(_keypoints(2, 9)).shape == (2, 1, 1, 3)


def test_state_dict_names_are_the_published_ones() -> None:
    model = TemporalModel(filter_widths=(3, 3, 3), channels=4)
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"expand_conv.weight", "shrink.weight", "shrink.bias"}
    expected |= {f"expand_bn.{n}" for n in norm}
    expected |= {f"layers_bn.{i}.{n}" for i in range(4) for n in norm}
    expected |= {f"layers_conv.{i}.weight" for i in range(4)}
    assert set(model.state_dict()) == expected
    shapes = {k: tuple(v.shape) for k, v in model.state_dict().items() if v.ndim == 3}
    assert shapes == {
        "expand_conv.weight": (4, 34, 3), "shrink.weight": (51, 4, 1),
        "layers_conv.0.weight": (4, 4, 3), "layers_conv.1.weight": (4, 4, 1),
        "layers_conv.2.weight": (4, 4, 3), "layers_conv.3.weight": (4, 4, 1),
    }  # fmt: skip


def test_dropout_acts_in_training_only() -> None:
    model = _model((3, 3), dropout=0.5, channels=64)
    keypoints = _keypoints(4, 9)
    assert torch.equal(model(keypoints), model(keypoints))
    model.train()
    assert not torch.equal(model.forward_strided(keypoints), model.forward_strided(keypoints))


@pytest.mark.parametrize("widths", [(), (2, 3), (3, 0), (3, -1), (3, 4)])
def test_filter_widths_must_be_odd(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="odd"):
        TemporalModel(filter_widths=widths, channels=4)


@pytest.mark.parametrize("shape", [(9, 4, 2), (1, 9, 5, 2), (1, 9, 4, 3), (1, 9, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    model = _model((3, 3))
    for form in (model, model.forward_strided):
        with pytest.raises(ValueError, match=r"expected \(N, T, 4, 2\)"):
            form(torch.zeros(shape, dtype=torch.float64))


def test_sequences_of_the_wrong_length_are_refused() -> None:
    model = _model((3, 3))
    with pytest.raises(ValueError, match="at least 9 frames"):
        model(_keypoints(1, 8))
    with pytest.raises(ValueError, match="at least 9 frames"):
        model.forward_strided(_keypoints(1, 8))
    with pytest.raises(ValueError, match="expected 9 frames"):
        model.forward_strided(_keypoints(1, 18))


def test_a_dense_model_has_no_strided_form() -> None:
    model = _model((3, 3), dense=True)
    with pytest.raises(ValueError, match="dense"):
        model.forward_strided(_keypoints(1, 9))
