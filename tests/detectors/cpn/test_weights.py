import json
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.weights import CPNWeights, is_backbone, load_backbone, load_cpn
from videopose.errors import InputError
from videopose.skeleton import COCO17, Skeleton

TINY = (1, 1, 1, 1)


@pytest.fixture(scope="module")
def trained() -> CPN:
    """A small network none of whose numbers is where it began."""
    torch.manual_seed(0)
    model = CPN(blocks=TINY)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(
                torch.rand_like(value) + 0.5 if "running_var" in name else torch.randn_like(value) / 20
            )
    return model.eval()


def _published(model: CPN) -> dict[str, torch.Tensor]:
    """The state as the published PyTorch code names it, for the wrapper that trained it on several GPUs."""
    published = {}
    for name, value in model.state_dict().items():
        top, rest = name.split(".", 1)
        if top == "backbone":
            name = f"resnet.{rest}"
        elif top == "global_net":
            part, level, rest = rest.split(".", 2)
            names = {
                "lateral": {"conv": "0", "norm": "1"},
                "merge": {"conv": "1", "norm": "2"},
                "predict": {"first.conv": "0", "first.norm": "1", "last.conv": "3", "last.norm": "5"},
            }[part]
            layer, leaf = rest.rsplit(".", 1)
            group = {"lateral": "laterals", "merge": "upsamples", "predict": "predict"}[part]
            name = f"global_net.{group}.{level}.{names[layer]}.{leaf}"
        elif rest.startswith("deepen."):
            name = f"refine_net.cascade.{rest.removeprefix('deepen.')}"
        elif rest.startswith("merge."):
            name = f"refine_net.final_predict.0.{rest.removeprefix('merge.')}"
        else:
            layer, leaf = rest.removeprefix("last.").split(".")
            name = f"refine_net.final_predict.{ {'conv': 1, 'norm': 2}[layer] }.{leaf}"
        published[f"module.{name}"] = value
    return published


def _write(path: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save({"epoch": 40, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}}, path)
    return path


def _same(model: CPN, other: CPN) -> bool:
    state = other.state_dict()
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_published_checkpoint(tmp_path, trained):
    published = _published(trained)
    # as the published code of ResNet-50 has them
    for name in (
        "module.resnet.layer4.0.downsample.1.running_var", "module.global_net.laterals.3.1.bias",
        "module.global_net.upsamples.2.1.weight", "module.global_net.predict.0.5.running_mean",
        "module.refine_net.cascade.0.2.conv3.weight", "module.refine_net.final_predict.0.downsample.0.weight",
        "module.refine_net.final_predict.2.num_batches_tracked",
    ):  # fmt: skip
        assert name in published
    assert not any(re.match(r"module\.refine_net\.cascade\.3", name) for name in published)
    loaded = load_cpn(_write(tmp_path / "CPN50_384x288.pth.tar", published))
    assert _same(loaded.model, trained)
    assert not loaded.model.training
    assert (loaded.keypoints, loaded.model.size, loaded.shift) == (COCO17, (384, 288), 0.5)


def test_files_of_before_batches_were_counted(tmp_path, trained):
    """PyTorch before 0.4.1 wrote no `num_batches_tracked`, which changes nothing."""
    state = {name: value for name, value in _published(trained).items() if "num_batches" not in name}
    loaded = load_cpn(_write(tmp_path / "older.pth.tar", state)).model
    for name, value in loaded.state_dict().items():
        assert "num_batches" in name or torch.equal(value, trained.state_dict()[name])


def test_biases_of_earlier_published_code(tmp_path, trained):
    """The convolutions that merge the pyramid had them: the same heatmaps come out as with them."""
    state = _published(trained)
    biases = {f"module.global_net.upsamples.{i}.1.bias": torch.randn(256) for i in range(3)}
    loaded = load_cpn(_write(tmp_path / "old.pth", state | biases)).model
    wanted = CPN(blocks=TINY)
    wanted.load_state_dict(trained.state_dict())
    for level, bias in enumerate(biases.values()):
        wanted.global_net.merge[level].conv.bias = torch.nn.Parameter(bias)
    crops = torch.randn(1, 3, 384, 288)
    with torch.inference_mode():
        assert torch.allclose(loaded(crops)[1], wanted.eval()(crops)[1], atol=1e-3)


def test_our_files_say_what_they_hold(tmp_path):
    keypoints = Skeleton.from_names(("hip", "rknee", "lknee"), ((0, 1), (0, 2)))
    model = CPN(keypoints=3, size=(64, 32), blocks=(2, 1, 1, 1))
    CPNWeights(model, keypoints, {"recipe": {"batch": 4}}).save(tmp_path / "a.safetensors")
    loaded = load_cpn(tmp_path / "a.safetensors")
    assert _same(loaded.model, model)
    assert (loaded.keypoints, loaded.model.size, loaded.model.blocks) == (keypoints, (64, 32), (2, 1, 1, 1))
    assert loaded.about == {"recipe": {"batch": 4}}
    assert not is_backbone(tmp_path / "a.safetensors")


def test_backbone_trained_on_imagenet(tmp_path):
    source, model = CPN(blocks=TINY), CPN(blocks=TINY)
    state = source.backbone.state_dict() | {
        "fc.weight": torch.zeros(1000, 2048),
        "fc.bias": torch.zeros(1000),
    }
    torch.save(state, tmp_path / "resnet.pth")
    assert is_backbone(tmp_path / "resnet.pth")
    load_backbone(model, tmp_path / "resnet.pth")
    assert torch.equal(model.backbone.layer4[0].conv2.weight, source.backbone.layer4[0].conv2.weight)
    with pytest.raises(InputError, match="not a ResNet of 5 blocks"):
        load_backbone(CPN(blocks=(1, 2, 1, 1)), tmp_path / "resnet.pth")


class _Evil:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_files_that_are_something_else(tmp_path, trained, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Path("evil.pth").open("wb") as file:
        pickle.dump({"state_dict": _Evil()}, file, 2)
    torch.save({"state_dict": _Evil()}, "evil2.pth")
    Path("text.pth").write_text("hello")
    Path("text.safetensors").write_text("hello")
    Path("empty.pth").touch()
    torch.save([1, 2], "list.pth")
    torch.save({"state_dict": {"a": 1}}, "numbers.pth")
    _write(Path("foreign.pth"), {"module.fc.weight": torch.zeros(2)})
    state = _published(trained)
    _write(Path("short.pth"), {k: v for k, v in state.items() if "laterals.1.0" not in k})
    save_file({"a": torch.zeros(2)}, "other.safetensors")
    meta = {
        "format": "videopose cpn",
        "videopose": json.dumps({"keypoints": ["a"], "bones": [], "size": [64]}),
    }
    save_file({"a": torch.zeros(2)}, "odd.safetensors", meta)
    for path in sorted(Path().iterdir()):
        with pytest.raises(InputError, match=rf"^{path.name} is not a file of CPN weights \(.+\)$"):
            load_cpn(path)
    assert not Path("ran").exists()
    with pytest.raises(InputError, match="no such file"):
        load_cpn("missing.pth")


def test_other_numbers_of_keypoints_need_names(tmp_path):
    path = _write(tmp_path / "16.pth", _published(CPN(keypoints=16, blocks=TINY)))
    with pytest.raises(InputError, match="expected 17 keypoints in an original checkpoint, found 16"):
        load_cpn(path)
