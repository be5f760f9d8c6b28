import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from videopose.errors import InputError, UsageError
from videopose.lifting.inference.videopose3d_checkpoint import load_videopose3d_checkpoint, read_architecture
from videopose.lifting.network.temporal_model import TemporalModel


class _Network(nn.Module):
    """A network whose parameters have the published names, made of plain layers."""

    def __init__(
        self, joints_in: int, joints_out: int, widths: Sequence[int], channels: int, dense: bool = False
    ) -> None:
        super().__init__()
        self.widths = widths
        self.expand_conv = nn.Conv1d(joints_in * 2, channels, widths[0], bias=False)
        self.expand_bn = nn.BatchNorm1d(channels)
        layers: list[nn.Module] = []
        span = widths[0]
        for width in widths[1:]:
            taps, dilation = ((width - 1) * span + 1, 1) if dense else (width, span)
            layers.append(nn.Conv1d(channels, channels, taps, dilation=dilation, bias=False))
            layers.append(nn.Conv1d(channels, channels, 1, bias=False))
            span *= width
        self.layers_conv = nn.ModuleList(layers)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(channels) for _ in layers)
        self.shrink = nn.Conv1d(channels, joints_out * 3, 1)

    def forward(self, keypoints: Tensor, causal: bool = False) -> Tensor:
        x = torch.relu(self.expand_bn(self.expand_conv(keypoints.flatten(2).transpose(1, 2))))
        for i in range(0, len(self.layers_conv), 2):
            y = x
            for convolution, norm in list(zip(self.layers_conv, self.layers_bn, strict=True))[i : i + 2]:
                y = torch.relu(norm(convolution(y)))
            lost = x.shape[2] - y.shape[2]
            x = y + (x[:, :, lost:] if causal else x[:, :, lost // 2 : x.shape[2] - lost // 2])
        out: Tensor = self.shrink(x)
        return out.transpose(1, 2).reshape(len(out), out.shape[2], -1, 3)


def _network(
    widths: Sequence[int] = (3, 3, 3), joints: int = 17, joints_out: int = 17, dense: bool = False
) -> _Network:
    torch.manual_seed(0)
    network = _Network(joints, joints_out, widths, 8, dense)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.bias)
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network.eval()


def _write(path: Path, network: _Network, trajectory: _Network | None = None, *, zipped: bool = True) -> Path:
    """A checkpoint as the published training script leaves it: also the optimiser and its generator."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, amsgrad=True)
    network(torch.randn(1, 243, network.expand_conv.in_channels // 2, 2)).sum().backward()
    optimiser.step()
    content = {
        "epoch": 80,
        "lr": np.float64(1e-3) * 0.95,
        "random_state": np.random.RandomState(1234),
        "optimizer": optimiser.state_dict(),
        "model_pos": network.state_dict(),
        "model_traj": trajectory.state_dict() if trajectory else None,
        "random_state_semi": None,
    }
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("widths", "dense"),
    [((3, 3, 3), False), ((3, 3, 3), True), ((1, 1, 1), False), ((3, 5, 1), False), ((3,), False),
     ((5, 5), True), ((3, 3, 3, 3, 3), False)],
)  # fmt: skip
def test_published_checkpoints_load(
    tmp_path: Path, widths: tuple[int, ...], dense: bool, zipped: bool
) -> None:
    network = _network(widths, dense=dense)
    lifter = load_videopose3d_checkpoint(_write(tmp_path / "pretrained_h36m_cpn.bin", network, zipped=zipped))
    model = lifter.model
    assert (model.filter_widths, model.dense, model.channels) == (widths, dense, 8)
    assert not model.training
    keypoints = torch.randn(1, 243 + 2, 17, 2)
    torch.testing.assert_close(model(keypoints), network(keypoints))
    assert (lifter.layout, lifter.input_space, lifter.rate) == ("h36m17", "screen", 50.0)
    assert lifter.trajectory is None


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_with_a_trajectory_model(tmp_path: Path, zipped: bool) -> None:
    network, trajectory = _network(), _network(joints_out=1)
    lifter = load_videopose3d_checkpoint(_write(tmp_path / "semi.bin", network, trajectory, zipped=zipped))
    assert lifter.trajectory is not None
    keypoints = torch.randn(1, 30, 17, 2)
    torch.testing.assert_close(lifter.trajectory(keypoints), trajectory(keypoints))
    assert lifter.trajectory(keypoints).shape == (1, 4, 1, 3)


def test_a_causal_checkpoint_is_named_by_the_caller(tmp_path: Path) -> None:
    network, trajectory = _network((3, 5)), _network((3, 5), joints_out=1)
    lifter = load_videopose3d_checkpoint(_write(tmp_path / "a.bin", network, trajectory), causal=True)
    assert lifter.model.causal
    assert lifter.trajectory is not None
    assert lifter.trajectory.causal
    keypoints = torch.randn(1, 30, 17, 2)
    torch.testing.assert_close(lifter.model(keypoints), network(keypoints, causal=True))


@pytest.mark.parametrize(
    ("name", "layout", "expected"),
    [
        ("pretrained_h36m_detectron_coco.bin", None, "coco17"),
        ("Finetuned_COCO.bin", None, "coco17"),
        ("pretrained_h36m_cpn.bin", None, "h36m17"),
        ("pretrained_h36m_detectron_coco.bin", "h36m17", "h36m17"),
        ("epoch_80.bin", "coco17", "coco17"),
    ],
)
def test_the_layout_is_by_name_or_by_argument(
    tmp_path: Path, name: str, layout: str | None, expected: str
) -> None:
    assert (
        load_videopose3d_checkpoint(_write(tmp_path / name, _network((3,))), layout=layout).layout == expected
    )


def test_the_folder_s_name_does_not_tell_the_layout(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    assert load_videopose3d_checkpoint(_write(tmp_path / "coco" / "a.bin", _network((3,)))).layout == "h36m17"


def test_fifteen_joints_are_human_eva_s(tmp_path: Path) -> None:
    network = _network((3, 3), joints=15, joints_out=15)
    lifter = load_videopose3d_checkpoint(_write(tmp_path / "pretrained_humaneva15_detectron.bin", network))
    assert (lifter.layout, lifter.rate) == ("humaneva15", 60.0)
    assert lifter.model(torch.zeros(1, 9, 15, 2)).shape == (1, 1, 15, 3)


def test_human_eva_s_poses_from_a_coco_detector_s_keypoints(tmp_path: Path) -> None:
    network = _network((3, 3), joints=17, joints_out=15)
    lifter = load_videopose3d_checkpoint(_write(tmp_path / "pretrained_humaneva15_detectron.bin", network))
    assert (lifter.layout, lifter.rate) == ("coco17", 60.0)


def test_an_unknown_layout_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown layout 'coco18'.*coco17"):
        load_videopose3d_checkpoint(_write(tmp_path / "a.bin", _network((3,))), layout="coco18")


def test_checkpoints_of_older_numpys_load(tmp_path: Path) -> None:
    """Older releases pickled their objects under other module names."""
    content = _write(tmp_path / "a.bin", _network(), zipped=False).read_bytes()
    old = content.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n")
    old = old.replace(b"numpy.random._pickle\n__randomstate_ctor\n", b"numpy.random\n__RandomState_ctor\n")
    assert old.count(b"numpy.core.multiarray\n") == 2
    assert old.count(b"numpy.random\n__RandomState_ctor\n") == 1
    (tmp_path / "old.bin").write_bytes(old)
    assert load_videopose3d_checkpoint(tmp_path / "old.bin").model.filter_widths == (3, 3, 3)


def test_our_weights_load_into_an_independent_network() -> None:
    torch.manual_seed(1)
    for dense in (False, True):
        model = TemporalModel(filter_widths=(3, 3, 3), channels=8, dense=dense).eval()
        network = _Network(17, 17, (3, 3, 3), 8, dense).eval()
        network.load_state_dict(model.state_dict())
        keypoints = torch.randn(1, 30, 17, 2)
        torch.testing.assert_close(network(keypoints), model(keypoints))


class _MakesFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("key", ["model_pos", "random_state", "extra"])
def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, key: str, zipped: bool) -> None:
    content = {"model_pos": _network().state_dict(), key: _MakesFolder(tmp_path / "executed")}
    torch.save(content, tmp_path / "bad.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"bad\.bin is not a VideoPose3D checkpoint") as caught:
        load_videopose3d_checkpoint(tmp_path / "bad.bin")
    assert "weights_only" not in str(caught.value)  # nobody is advised to run the file's code
    assert not (tmp_path / "executed").exists()


def test_a_bare_pickle_is_not_executed(tmp_path: Path) -> None:
    for protocol in (2, 4):
        (tmp_path / "bad.bin").write_bytes(pickle.dumps(_MakesFolder(tmp_path / "executed"), protocol))
        with pytest.raises(InputError, match="is not a VideoPose3D checkpoint"):
            load_videopose3d_checkpoint(tmp_path / "bad.bin")
    assert not (tmp_path / "executed").exists()


class _Reconstructs:
    """Abuses an admitted name: numpy's array constructor, with a state that would be unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> str | tuple[Any, ...]:
        return np.array([_MakesFolder(self.path)], object).__reduce__()


def test_object_arrays_are_not_executed(tmp_path: Path) -> None:
    content = {"model_pos": _network().state_dict(), "random_state": _Reconstructs(tmp_path / "executed")}
    torch.save(content, tmp_path / "bad.bin")
    with pytest.raises(InputError, match="is not a VideoPose3D checkpoint"):
        load_videopose3d_checkpoint(tmp_path / "bad.bin")
    assert not (tmp_path / "executed").exists()


def _state(**changes: Any) -> dict[str, Any]:
    state = {**_network().state_dict(), **changes}
    return {k: v for k, v in state.items() if v is not None}


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        torch.zeros(3),
        3,
        {"model_pos": None},
        {"model_pos": {}},
        {"model_pos": torch.zeros(3)},
        {"model_pos": _state(**{"expand_conv.weight": None})},
        {"model_pos": _state(**{"expand_conv.weight": torch.zeros(8, 34)})},
        {"model_pos": _state(**{"expand_conv.weight": torch.zeros(8, 33, 3)})},
        {"model_pos": _state(**{"expand_conv.weight": 3})},
        {"model_pos": _state(**{"shrink.weight": None})},
        {"model_pos": _state(**{"layers_conv.0.weight": torch.zeros(8, 8, 2)})},
        {"model_pos": _state(**{"layers_bn.3.bias": None})},
        {"model_pos": _state(extra=torch.zeros(3))},
        {"model_pos": _state(), "model_traj": _state()},
        {"model_pos": _state(), "model_traj": 3},
    ],
)
def test_other_contents_are_input_errors(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.bin")
    with pytest.raises(InputError, match=r"a\.bin is not a VideoPose3D checkpoint") as caught:
        load_videopose3d_checkpoint(tmp_path / "a.bin")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 garbage", b"\x80\x02garbage"])
def test_other_files_are_input_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(InputError, match="is not a VideoPose3D checkpoint"):
        load_videopose3d_checkpoint(tmp_path / "a.bin")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_truncated_files_are_input_errors(tmp_path: Path, zipped: bool) -> None:
    path = _write(tmp_path / "a.bin", _network(), zipped=zipped)
    whole = path.read_bytes()
    for size in (1, 100, 2000, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="is not a VideoPose3D checkpoint"):
            load_videopose3d_checkpoint(path)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "a.bin", "no such lifter file"),
        (tmp_path, "is not a lifter and cannot be read: it is a folder"),
    ):
        with pytest.raises(InputError, match=reason):
            load_videopose3d_checkpoint(path)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("widths", [(3,) * n for n in range(2, 6)] + [(5, 5, 5), (7, 7)])
def test_the_architecture_is_read_off_the_shapes(widths: tuple[int, ...], dense: bool, causal: bool) -> None:
    with torch.device("meta"):
        model = TemporalModel(filter_widths=widths, dense=dense, channels=1024, num_joints_out=1)
    assert read_architecture(model.state_dict(), causal) == {
        "num_joints_in": 17, "in_features": 2, "num_joints_out": 1, "filter_widths": widths,
        "causal": causal, "channels": 1024, "dense": dense,
    }  # fmt: skip


def test_shapes_of_more_numbers_than_the_file_has(tmp_path: Path) -> None:
    state = _network().state_dict()
    for name, tensor in state.items():
        if name.endswith("weight") and tensor.ndim == 3:
            state[name] = tensor[:1, :1, :1].expand(20000, 20000, tensor.shape[2])
    torch.save({"model_pos": state}, tmp_path / "a.bin")
    with pytest.raises(InputError, match=r"a\.bin is not a VideoPose3D checkpoint \(.*not as many numbers"):
        load_videopose3d_checkpoint(tmp_path / "a.bin")
