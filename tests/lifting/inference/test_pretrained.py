from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import DEFAULT, load_lifter, pretrained_lifters
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, H36M17

# A person who stands facing the camera, arms hanging: their right side is on the image's left.
STANDING = {
    "nose": (640, 215), "leye": (648, 207), "reye": (632, 207), "lear": (660, 212), "rear": (620, 212),
    "lshoulder": (690, 270), "rshoulder": (590, 270), "lelbow": (703, 345), "relbow": (577, 345),
    "lwrist": (708, 412), "rwrist": (572, 412), "lhip": (667, 415), "rhip": (613, 415),
    "lknee": (668, 515), "rknee": (612, 515), "lankle": (668, 610), "rankle": (612, 610),
}  # fmt: skip


def _save(path: Path) -> Lifter:
    lifter = Lifter(TemporalModel(filter_widths=(3,), channels=4), "h36m17", "rays", 30.0)
    lifter.save(path)
    return lifter


def test_the_default_lifts_a_standing_person() -> None:
    lifter = load_lifter(DEFAULT)
    keypoints = np.ones((30, 17, 3), np.float32)
    keypoints[..., :2] = [STANDING[name] for name in COCO17.names]
    camera = Intrinsics.assumed((1280, 720))
    poses = lifter.lift_track(keypoints, np.arange(30) / 30, lens=Lens(camera), size=(1280, 720)).pose
    assert poses.shape == (30, 17, 3)
    pose = dict(zip(H36M17.names, poses[15], strict=True))
    assert 0.7 < pose["rfoot"][1] < 1.05  # y points down
    assert -0.9 < pose["head"][1] < -0.5
    assert pose["lshoulder"][0] > 0.1 > -0.1 > pose["rshoulder"][0]
    assert pose["nose"][2] < pose["thorax"][2] + 0.02  # facing the camera
    assert abs(pose["lfoot"][2]) < 0.35
    assert abs(pose["rfoot"][2]) < 0.35


def test_the_default_says_what_it_is() -> None:
    lifter = load_lifter(DEFAULT)
    assert (lifter.layout, lifter.input_space) == ("h36m17", "centred-visible")
    assert lifter.rate
    assert lifter.about


def test_shipped_lifters_are_known_by_name() -> None:
    assert DEFAULT in pretrained_lifters()
    for name, path in pretrained_lifters().items():
        assert path.is_file()
        assert path.name == f"{name}.safetensors"
        assert load_lifter(name).digest() == Lifter.load(path).digest()


def test_our_own_files_by_path(tmp_path: Path) -> None:
    lifter = _save(tmp_path / "mine.safetensors")
    assert load_lifter(str(tmp_path / "mine.safetensors")).digest() == lifter.digest()


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth"])
def test_published_checkpoints_by_path(tmp_path: Path, suffix: str) -> None:
    model = TemporalModel(filter_widths=(3, 3), channels=4)
    path = tmp_path / f"theirs{suffix}"
    torch.save({"model_pos": model.state_dict(), "model_traj": None}, path)
    lifter = load_lifter(str(path), layout="coco17", causal=True)
    assert (lifter.layout, lifter.model.causal) == ("coco17", True)
    assert load_lifter(str(path)).layout == "h36m17"


@pytest.mark.parametrize("name", [None, 3, b"default"])
def test_what_is_no_name_is_a_usage_error(name: Any) -> None:
    with pytest.raises(UsageError, match="expected the name of a lifter, or the path of its file, found "):
        load_lifter(name)


@pytest.mark.parametrize("name", ["best", "", "default.onnx", "folder/default"])
def test_an_unknown_name_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown lifter.*\.safetensors or \.bin"):
        load_lifter(name)


@pytest.mark.parametrize("name", ["nowhere.safetensors", "nowhere.bin"])
def test_a_missing_file_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no such lifter file"):
        load_lifter(str(tmp_path / name))


def test_what_a_lifter_says_itself_cannot_be_overruled() -> None:
    with pytest.raises(UsageError, match=r"\.bin"):
        load_lifter(DEFAULT, layout="coco17")
    with pytest.raises(UsageError, match=r"\.bin"):
        load_lifter("mine.safetensors", causal=True)
