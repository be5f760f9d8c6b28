"""Property tests of the loaders of networks' weights; see `damaged_files`.

HYPOTHESIS_PROFILE=long pytest tests/test_every_weight_loader.py
"""

import pickle
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_networks as small
import torch
from damaged_files import Case, check_survives
from safetensors.torch import save_file
from torch import nn

from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.weights import CPNWeights, load_cpn
from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2
from videopose.detectors.rtmpose.person_finder import PersonFinder
from videopose.detectors.rtmpose.pose_network import PoseNetwork
from videopose.errors import InputError
from videopose.lifting.training.checkpoint import Checkpoint
from videopose.lifting.training.training_state import TrainingState
from videopose.skeleton import COCO17

_PICTURE = np.full((40, 30, 3), 90, np.uint8)


def _names_of_cpn() -> dict[str, torch.Tensor]:
    """The names of a small CPN with tensors of one number: a complete file has 100 MB."""
    with torch.device("meta"):
        names = list(CPN(blocks=(1, 1, 1, 1)).state_dict())
    return {name: torch.zeros(1) for name in names}


def _cpn(path: Path) -> None:
    names = ("resnet.conv1.weight", "resnet.layer1.0.conv1.weight", "refine_net.final_predict.1.weight")
    torch.save({"epoch": 40, "state_dict": {f"module.{n}": torch.zeros(1, 2) for n in names}}, path)


def _own_cpn(path: Path) -> None:
    save_file(
        _names_of_cpn(),
        path,
        {
            "format": "videopose cpn",
            "videopose": '{"keypoints": ["a"], "bones": [], "size": [64, 64], "about": {}}',
        },
    )


def _mask_rcnn_pkl(path: Path) -> None:
    weights = {"backbone.res2.0.conv1.weight": np.ones((2, 3), np.float32), "b": np.zeros(3)}
    path.write_bytes(pickle.dumps({"model": weights, "__author__": "x"}, protocol=2))


def _mask_rcnn_pth(path: Path) -> None:
    weights = {"backbone.bottom_up.res4.22.conv1.weight": torch.ones(2, 3)}
    keypoint_layer = {"roi_heads.keypoint_head.score_lowres.weight": torch.ones(2, 17, 4, 4)}
    torch.save({"model": weights | keypoint_layer, "settings": {"MODEL.RPN.NMS_THRESH": 0.6}}, path)


@cache
def _mask_rcnn() -> Any:
    """The module, which imports detectron2."""
    require_detectron2()
    return import_module("videopose.detectors.mask_rcnn.model")


class _Training:
    """The parts of a training: network, optimiser and state."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(3, 2)
        self.optimiser = torch.optim.Adam(self.model.parameters())
        self.model(torch.ones(1, 3)).sum().backward()
        self.optimiser.step()
        self.parts = {"model": self.model, "optimiser": self.optimiser, "state": TrainingState(9, 3)}


def _training(path: Path) -> None:
    Checkpoint(path, "f").save(_Training().parts, "cpu")


def _restore(path: Path) -> None:
    Checkpoint(path, "f").restore(_Training().parts, "cpu")


def _estimate(path: Path) -> Any:
    return PoseNetwork(path).estimate(_PICTURE, np.array([2, 3, 20, 30], np.float32))


_CASES = {
    case.name: case
    for case in (
        Case("cpn.pth", _cpn, load_cpn, refused=True),
        Case("cpn.safetensors", _own_cpn, load_cpn, refused=True),
        Case("mask-rcnn.pkl", _mask_rcnn_pkl, lambda path: _mask_rcnn().read_checkpoint(path)),
        Case("mask-rcnn.pth", _mask_rcnn_pth, lambda path: _mask_rcnn().read_checkpoint(path)),
        Case("training.pt", _training, _restore),
        Case("pose.onnx", lambda path: small.pose_network(path, 17), _estimate),
        Case(
            "finder.onnx",
            lambda path: small.constant_network(path, (32, 32), boxes=np.array([[[2, 3, 20, 30, 0.9]]])),
            lambda path: PersonFinder(path).find(_PICTURE),
        ),
    )
}


@pytest.mark.parametrize("name", list(_CASES))
def test_damaged_weights_are_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    check_survives(_CASES[name], tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({f"backbone.layer1.{n}.conv1.weight": torch.zeros(1) for n in range(5000)}, "up to 36 blocks"),
        ({"refine_net.last.conv.weight": torch.zeros(100_000, 1)}, "expected"),
        (
            {"backbone.conv1.weight": torch.zeros(1)},
            r"backbone.conv1.weight: expected \(64, 3, 7, 7\), found",
        ),
    ],
)
def test_a_cpn_is_not_built_before_its_shapes_are_compared(
    change: dict[str, torch.Tensor], words: str, tmp_path: Path
) -> None:
    save_file(
        _names_of_cpn() | {"refine_net.last.conv.weight": torch.zeros(1, 1)} | change,
        tmp_path / "a.safetensors",
        {
            "format": "videopose cpn",
            "videopose": '{"keypoints": ["a"], "bones": [], "size": [64, 64], "about": {}}',
        },
    )
    with pytest.raises(InputError, match=words):
        load_cpn(tmp_path / "a.safetensors")


def test_a_sound_cpn_is_still_read(tmp_path: Path) -> None:
    CPNWeights(CPN(blocks=(1, 1, 1, 1), size=(64, 64)), COCO17).save(tmp_path / "a.safetensors")
    assert len(load_cpn(tmp_path / "a.safetensors").keypoints) == 17


def test_a_network_that_declares_huge_pictures(tmp_path: Path) -> None:
    small.constant_network(tmp_path / "a.onnx", (100_000, 100_000), boxes=np.zeros((1, 1, 5)))
    with pytest.raises(InputError, match="expected an input of up to 2048 pixels a side"):
        PersonFinder(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"MODEL.FPN.OUT_CHANNELS": 200_000}, "much more than the file"),
        ({"INPUT.MIN_SIZE_TEST": 1_000_000}, "pictures of more than 8192 pixels"),
        ({"MODEL.NO_SUCH": 1}, "Non-existent key"),
        ({"MODEL.RESNETS.DEPTH": "x\ny"}, "holds no weights"),
    ],
)
def test_settings_in_a_file_of_mask_rcnn_that_need_memory(
    settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    layer = {"roi_heads.keypoint_head.score_lowres.weight": torch.ones(2, 17, 4, 4)}
    torch.save({"model": layer, "settings": settings}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=words) as error:
        _mask_rcnn().load_network(tmp_path / "a.pth")
    assert "\n" not in str(error.value)
