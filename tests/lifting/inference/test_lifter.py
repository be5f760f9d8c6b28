import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.lifter_file import StoredType
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, H36M17, HUMANEVA15, SKELETONS, Skeleton

ABOUT = {"training": {"data": "CMU", "licence": "Apache-2.0"}, "errors": {"mpjpe_mm": 61.5}, "name": "Zoë"}


def _model(**options: Any) -> TemporalModel:
    torch.manual_seed(0)
    values: dict[str, Any] = {"filter_widths": (3, 5), "channels": 8, "dropout": 0.1}
    model = TemporalModel(**values | options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.bias)
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return model  # in training mode, as training leaves it


def _lifter(**changes: Any) -> Lifter:
    values: dict[str, Any] = {
        "model": _model(), "layout": "h36m17", "input_space": "rays", "rate": 30.0, "about": ABOUT,
    }  # fmt: skip
    return Lifter(**values | changes)


def _assert_same_model(one: TemporalModel, other: TemporalModel) -> None:
    for name in ("num_joints_in", "in_features", "num_joints_out", "filter_widths", "causal", "dropout",
                 "channels", "dense", "receptive_field"):  # fmt: skip
        assert getattr(one, name) == getattr(other, name), name
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize(
    "options", [{}, {"causal": True}, {"dense": True, "filter_widths": (3, 3)}, {"filter_widths": (1, 1)}]
)
def test_round_trip(tmp_path: Path, options: dict[str, Any]) -> None:
    lifter = _lifter(model=_model(**options))
    lifter.save(tmp_path / "a.safetensors")
    loaded = Lifter.load(tmp_path / "a.safetensors")
    _assert_same_model(loaded.model, lifter.model)
    assert (loaded.layout, loaded.input_space, loaded.rate) == ("h36m17", "rays", 30.0)
    assert loaded.trajectory is None
    assert loaded.about == ABOUT
    assert loaded.digest() == lifter.digest()


def test_round_trip_with_a_trajectory_model(tmp_path: Path) -> None:
    lifter = _lifter(
        trajectory=_model(num_joints_out=1, channels=4), layout="coco17", input_space="screen", rate=None
    )
    lifter.save(str(tmp_path / "a.safetensors"))
    loaded = Lifter.load(str(tmp_path / "a.safetensors"))
    _assert_same_model(loaded.model, lifter.model)
    assert loaded.trajectory is not None
    assert lifter.trajectory is not None
    _assert_same_model(loaded.trajectory, lifter.trajectory)
    assert (loaded.layout, loaded.input_space, loaded.rate) == ("coco17", "screen", None)
    assert loaded.digest() == lifter.digest() != _lifter().digest()


def test_loaded_models_are_ready_for_inference(tmp_path: Path) -> None:
    lifter = _lifter(trajectory=_model(num_joints_out=1))
    lifter.save(tmp_path / "a.safetensors")
    loaded = Lifter.load(tmp_path / "a.safetensors")
    keypoints = torch.randn(1, 20, 17, 2)
    for ours, theirs in ((lifter.model, loaded.model), (lifter.trajectory, loaded.trajectory)):
        assert ours is not None
        assert theirs is not None
        assert not any(module.training for module in theirs.modules())
        assert torch.equal(theirs(keypoints), ours.eval()(keypoints))


def test_the_header_says_everything(tmp_path: Path) -> None:
    _lifter(trajectory=_model(num_joints_out=1, causal=True), model=_model(causal=True)).save(
        tmp_path / "a.safetensors"
    )
    with safe_open(tmp_path / "a.safetensors", framework="np") as file:
        header = {name: json.loads(value) for name, value in file.metadata().items()}
        names = set(file.keys())
    assert header["model"] == {
        "filter_widths": [3, 5], "channels": 8, "causal": True, "dense": False, "dropout": 0.1,
        "num_joints_in": 17, "in_features": 2, "num_joints_out": 17,
    }  # fmt: skip
    assert header["trajectory"]["num_joints_out"] == 1
    assert header["layout"] == "h36m17"
    assert header["input_space"] == "rays"
    assert header["rate"] == 30.0
    assert header["about"] == ABOUT
    assert len(header["sha256"]) == 64
    assert {"expand_conv.weight", "layers_bn.1.running_var", "shrink.bias"} < names
    assert {"model_traj.expand_conv.weight", "model_traj.shrink.bias"} < names


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_weights_stored_in_16_bits(tmp_path: Path, dtype: StoredType, bits: int) -> None:
    lifter = _lifter(trajectory=_model(num_joints_out=1))
    path = tmp_path / "a.safetensors"
    lifter.save(path, dtype=dtype)
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["dtype"]) == dtype
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert {str(t.dtype) for t in stored.values() if t.ndim > 1} == {f"torch.{dtype}"}
    assert {str(t.dtype) for t in stored.values() if t.ndim == 1} == {"torch.float32"}
    loaded = Lifter.load(path)
    assert loaded.stored_as == dtype
    for mine, theirs in ((lifter.model, loaded.model), (lifter.trajectory, loaded.trajectory)):
        assert mine is not None
        assert theirs is not None
        for name, weight in theirs.state_dict().items():
            before = mine.state_dict()[name]
            assert weight.dtype == before.dtype
            assert (
                (weight - before).abs() <= 2.0**-bits * before.abs() + 2.0**-25
            ).all()  # subnormal numbers
    assert loaded.digest() == json.loads(_header(path)["sha256"]) != lifter.digest()
    loaded.save(tmp_path / "again.safetensors", dtype=loaded.stored_as)
    assert Lifter.load(tmp_path / "again.safetensors").digest() == loaded.digest()
    assert path.stat().st_size < 0.7 * _size_in_32_bits(lifter, tmp_path)


def _header(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def _size_in_32_bits(lifter: Lifter, folder: Path) -> int:
    lifter.save(folder / "whole.safetensors")
    return (folder / "whole.safetensors").stat().st_size


def test_a_file_that_does_not_say_its_stored_type_holds_32_bits(tmp_path: Path) -> None:
    _lifter().save(tmp_path / "a.safetensors")
    _rewrite(tmp_path / "a.safetensors", dtype=None)
    assert Lifter.load(tmp_path / "a.safetensors").digest() == _lifter().digest()


def test_weights_too_large_for_16_bits_are_refused(tmp_path: Path) -> None:
    lifter = _lifter()
    with torch.no_grad():
        lifter.model.shrink.weight[0, 0, 0] = 1e5
    with pytest.raises(ValueError, match=r"shrink\.weight are too large for float16; store them as bfloat16"):
        lifter.save(tmp_path / "a.safetensors", dtype="float16")
    lifter.save(tmp_path / "a.safetensors", dtype="bfloat16")
    with pytest.raises(ValueError, match="expected a stored type among float32, float16, bfloat16"):
        lifter.save(tmp_path / "a.safetensors", dtype="int8")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("layout", "joints_out", "keypoints", "fits"),
    [
        ("h36m17", 17, H36M17, True),
        ("h36m17", 17, COCO17, True),
        ("coco17", 17, COCO17, True),
        ("coco17", 17, H36M17, False),
        ("h36m17", 15, COCO17, False),
        ("humaneva15", 15, COCO17, False),
        ("humaneva15", 15, HUMANEVA15, False),
    ],
)
def test_whether_a_lifter_fits(layout: str, joints_out: int, keypoints: Skeleton, fits: bool) -> None:
    model = _model(num_joints_in=len(SKELETONS[layout]), num_joints_out=joints_out)
    lifter = _lifter(model=model, layout=layout)
    assert lifter.fits(keypoints) is fits
    if fits:
        lifter.check_fits(keypoints)
    else:
        given = f"reads {layout} keypoints and gives {joints_out} joints"
        with pytest.raises(UsageError, match=f"{given}; expected one that reads {keypoints.name}"):
            lifter.check_fits(keypoints)
    assert lifter.fits(SKELETONS[layout], poses=HUMANEVA15) is (joints_out == 15)


def test_the_digest_is_of_all_weights() -> None:
    lifter = _lifter()
    before = lifter.digest()
    assert _lifter(about={}).digest() == before
    with torch.no_grad():
        lifter.model.shrink.bias[3] += 1e-6  # type: ignore[index]
    assert lifter.digest() != before


def test_a_lifter_s_precision_is_of_its_network_alone() -> None:
    lifter = _lifter()
    fast = lifter.in_precision("bfloat16")
    assert (lifter.precision, fast.precision) == ("float32", "bfloat16")
    assert lifter.network is fast.model is lifter.model
    keypoints = torch.randn(1, 20, 17, 2)
    near, exact = fast.network(keypoints), lifter.model.eval()(keypoints)
    assert 0 < (near - exact).norm() < 0.02 * exact.norm()
    assert fast.digest() == lifter.digest()
    assert fast.in_precision("float32").network is lifter.model
    assert fast.to("cpu").precision == "float32"
    with pytest.raises(UsageError, match="--precision is float32 or bfloat16, not half"):
        lifter.in_precision("half")  # type: ignore[arg-type]


def test_moving_is_in_place() -> None:
    lifter = _lifter(trajectory=_model(num_joints_out=1))
    assert lifter.to("meta").model.shrink.weight.device.type == "meta"
    assert lifter.trajectory is not None
    assert lifter.trajectory.shrink.weight.device.type == "meta"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"layout": "coco18"}, "unknown layout 'coco18'.*coco17"),
        ({"input_space": "pixels"}, "unknown input space 'pixels'.*rays"),
        ({"trajectory": _model(num_joints_out=1, filter_widths=(3,))}, "same frames"),
        ({"trajectory": _model(num_joints_out=1, causal=True)}, "same frames"),
        ({"trajectory": _model()}, "one joint"),
        ({"layout": "humaneva15"}, "17 joints, not humaneva15"),
    ],
)
def test_lifters_check_themselves(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _lifter(**changes)


def _rewrite(path: Path, tensors: dict[str, torch.Tensor] | None = None, **header: Any) -> None:
    """Write a good file anew with other weights, or with other header entries (None removes one)."""
    with safe_open(path, framework="np") as file:
        old = file.metadata()
    new = old | {k: json.dumps(v) for k, v in header.items() if v is not None}
    save_file(
        tensors or load_file(path), path, {k: v for k, v in new.items() if header.get(k, 0) is not None}
    )


def test_tampered_weights_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    tensors = load_file(path)
    tensors["shrink.bias"][0] += 0.01
    _rewrite(path, tensors)
    with pytest.raises(InputError, match="weights do not match its checksum"):
        Lifter.load(path)

    _lifter().save(path)
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="weights do not match its checksum"):
        Lifter.load(path)


@pytest.mark.parametrize(
    "header",
    [
        {"format": "pt"},
        {"format": None},
        {"sha256": None},
        {"model": None},
        {"model": {"channels": 8}},
        {"model": {"channels": 8, "filter_widths": [2, 5]}},
        {"model": {"channels": 8, "filter_widths": [3, 5], "colour": "red"}},
        {"model": ["channels"]},
        {"layout": "coco18"},
        {"layout": None},
        {"input_space": "pixels"},
        {"rate": None},
        {"about": None},
        {"dtype": "float16"},
        {"dtype": "int8"},
        {"dtype": 3},
        {"trajectory": {"channels": 8, "filter_widths": [3, 5], "num_joints_out": 1}},
    ],
    ids=str,
)
def test_headers_that_do_not_fit_are_input_errors(tmp_path: Path, header: dict[str, Any]) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    _rewrite(path, **header)
    with pytest.raises(InputError, match=r"a\.safetensors is not a lifter"):
        Lifter.load(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"format": '"pt"'}])
def test_foreign_safetensors_are_input_errors(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(3)}, path, metadata)
    with pytest.raises(InputError, match="is not a lifter written by videopose"):
        Lifter.load(path)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\xff" * 64])
def test_other_files_are_input_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a lifter written by videopose"):
        Lifter.load(path)


def test_truncated_files_are_input_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    whole = path.read_bytes()
    for size in (4, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="is not a lifter written by videopose"):
            Lifter.load(path)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "a.safetensors", "no such lifter file"),
        (tmp_path, "is not a lifter and cannot be read: it is a folder"),
    ):
        with pytest.raises(InputError, match=reason):
            Lifter.load(path)


def test_saving_is_atomic(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        _lifter(about={"array": np.zeros(3)}).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_any_file(tmp_path: Path) -> None:
    _lifter().save(tmp_path / "a.safetensors")
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_jump_of_hours_costs_no_memory() -> None:
    lifter = _lifter()
    keypoints = np.random.default_rng(0).uniform(50, 400, (1, 17, 3)).astype(np.float32).repeat(60, 0)
    keypoints[..., 0] += np.arange(60)[:, None]
    keypoints[..., 2] = 0.9
    times = np.arange(60) / 30
    camera = {"lens": Lens(Intrinsics.assumed((640, 480))), "size": (640, 480)}
    whole = lifter.lift_track(keypoints, times, **camera)
    times[30:] += 100 * 3600
    tracemalloc.start()
    try:
        jumped = lifter.lift_track(keypoints, times, **camera)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert jumped.pose.shape == whole.pose.shape
    assert np.isfinite(jumped.pose).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"about": None}, "about: expected values by name"),
        ({"rate": 0}, "rate: expected 1 to 1000 frames per second, found 0"),
        ({"rate": "fast"}, "rate: expected 1 to 1000"),
        ({"rate": 1e300}, "rate: expected 1 to 1000"),
        ({"layout": None}, "unknown layout None"),
        ({"model": None}, "not a lifter"),
        ({"model": {"channels": 20000}}, r"expand_conv\.weight: expected the shape \(20000, 34, 3\), found"),
        ({"model": {"channels": 1 << 40}}, "channels: expected a number from 1 on"),
        ({"model": {"channels": True}}, "channels: expected a number from 1 on"),
        ({"model": {"filter_widths": [3] * 19}}, "expected to see at most 10000 frames"),
        ({"model": {"filter_widths": [1] * 10**5}}, "expected to see at most 10000 frames"),
        ({"model": {"filter_widths": "333"}}, "filter_widths: expected numbers"),
        ({"model": {"dropout": 7}}, "dropout"),
        ({"model": {"surprise": 1}}, "surprise"),
    ],
)  # fmt: skip
def test_impossible_headers_are_refused_before_anything_is_allocated(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    with safe_open(path, framework="pt") as file:
        header = {key: json.loads(value) for key, value in file.metadata().items()}
    for name, value in changes.items():
        header[name] = header[name] | value if isinstance(value, dict) else value
    save_file(load_file(path), path, {key: json.dumps(value) for key, value in header.items()})
    with pytest.raises(InputError, match=words) as caught:
        Lifter.load(path)
    assert "\n" not in str(caught.value)


def test_other_tensors_than_the_models_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _lifter().save(path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    save_file(load_file(path) | {"more": torch.zeros(3)}, path, header)
    with pytest.raises(InputError, match="it has an unknown weight more"):
        Lifter.load(path)
