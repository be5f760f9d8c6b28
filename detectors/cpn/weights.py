"""Weights of the cascaded pyramid network: files of videopose, original checkpoints, ImageNet backbones.

An original checkpoint is one of the PyTorch implementation of CPN that its weights were first released for.
"""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...errors import InputError, one_line
from ...files import replacing
from ...skeleton import COCO17, Skeleton
from ...torch_files import check_tensors, load_torch_file
from ..coco.keypoint_names import names_in_files, skeleton_from_file
from .network import CPN

_FORMAT = "videopose cpn"
_MOST_BLOCKS = 36  # residual blocks in one of ResNet-152's stages
_LARGEST_CROP = 2048  # pixels

# Patterns of names in original checkpoints, and the names used here.
_ORIGINAL_NAMES = (
    (r"resnet\.", "backbone."),
    (r"global_net\.laterals\.(\d)\.0\.", r"global_net.lateral.\1.conv."),
    (r"global_net\.laterals\.(\d)\.1\.", r"global_net.lateral.\1.norm."),
    (r"global_net\.upsamples\.(\d)\.1\.", r"global_net.merge.\1.conv."),
    (r"global_net\.upsamples\.(\d)\.2\.", r"global_net.merge.\1.norm."),
    (r"global_net\.predict\.(\d)\.0\.", r"global_net.predict.\1.first.conv."),
    (r"global_net\.predict\.(\d)\.1\.", r"global_net.predict.\1.first.norm."),
    (r"global_net\.predict\.(\d)\.3\.", r"global_net.predict.\1.last.conv."),
    (r"global_net\.predict\.(\d)\.5\.", r"global_net.predict.\1.last.norm."),
    (r"refine_net\.cascade\.", "refine_net.deepen."),
    (r"refine_net\.final_predict\.0\.", "refine_net.merge."),
    (r"refine_net\.final_predict\.1\.", "refine_net.last.conv."),
    (r"refine_net\.final_predict\.2\.", "refine_net.last.norm."),
)


@dataclass(frozen=True)
class CPNWeights:
    """A network and the metadata of its file.

    Attributes:
        model: The network.
        keypoints: The keypoints it finds.
        about: Further metadata, as plain values.
        shift: Pixels to add to the positions it finds. It is 0.5 for the original networks, which were
            trained with pixel indices, half a pixel less than positions.
    """

    model: CPN
    keypoints: Skeleton
    about: Mapping[str, Any] = field(default_factory=dict)
    shift: float = 0.0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.safetensors` file.

        Raises:
            OutputError: The file cannot be written.
        """
        told = {
            "keypoints": list(names_in_files(self.keypoints)),
            "bones": [list(bone) for bone in self.keypoints.bones],
            "size": list(self.model.size),
            "about": dict(self.about),
        }
        state = {name: value.detach().cpu().contiguous() for name, value in self.model.state_dict().items()}
        with replacing(path) as partial:
            # (`safetensors.torch.save_file` makes a file that only its owner may read.)
            about = {"format": _FORMAT, "videopose": json.dumps(told, ensure_ascii=False)}
            partial.write_bytes(save(state, about))


def load_cpn(path: str | os.PathLike[str]) -> CPNWeights:
    """Read weights. The model is in evaluation mode; no code from the file is executed.

    Args:
        path: A `.safetensors` file of videopose or an original checkpoint. Original checkpoints do not name
            their keypoints; they are expected to be COCO's, and crops to have 384 × 288 pixels.

    Raises:
        InputError: The file is missing, damaged, or does not hold CPN weights.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        if file.suffix == ".safetensors":
            with safe_open(file, "pt") as tensors:
                metadata = tensors.metadata() or {}
                if metadata.get("format") != _FORMAT:
                    raise ValueError(f"expected format {_FORMAT!r}, found {metadata.get('format')!r}")
                state = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
            told = json.loads(metadata["videopose"])
            keypoints = skeleton_from_file(told["keypoints"], [(a, b) for a, b in told["bones"]])
            height, width = told["size"]
            return CPNWeights(_build(state, (height, width)), keypoints, told["about"])
        state = translate(_read_tensors(file))
        model = _build(state, (384, 288))
        if model.keypoints != len(COCO17):
            raise ValueError(
                f"expected {len(COCO17)} keypoints in an original checkpoint, found {model.keypoints}"
            )
        return CPNWeights(model, COCO17, {"source": "published checkpoint"}, 0.5)
    except (AttributeError, KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a file of CPN weights ({one_line(error)})") from error


def load_backbone(model: CPN, path: str | os.PathLike[str]) -> None:
    """Load the backbone from a ResNet that was trained on ImageNet.

    Args:
        model: The network whose backbone is replaced.
        path: A `.pth` file in torchvision's format.

    Raises:
        InputError: The file cannot be read or holds another network.
    """
    try:
        state = _read_tensors(Path(path))
        model.backbone.load_state_dict({n: v for n, v in state.items() if not n.startswith("fc.")})
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a ResNet of {sum(model.blocks)} blocks") from error


def is_backbone(path: str | os.PathLike[str]) -> bool:
    """Return whether a file holds a ResNet alone, not a whole CPN.

    Raises:
        InputError: The file cannot be read as weights.
    """
    if Path(path).suffix == ".safetensors":
        return False
    try:
        return "conv1.weight" in _read_tensors(Path(path))
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a file of weights ({error})") from error


def translate(original: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the parameters of an original state dict to the names used here.

    In an earlier version of the original code, the merging convolutions of the pyramid have a bias. It is
    subtracted from the running mean of the batch norm that follows, which gives the same result.

    Args:
        original: The state dict of an original checkpoint.

    Raises:
        ValueError: A parameter is unknown.
    """
    state: dict[str, Tensor] = {}
    for name, value in original.items():
        name = name.removeprefix("module.")
        for pattern, replacement in _ORIGINAL_NAMES:
            renamed, found = re.subn(f"^{pattern}", replacement, name)
            if found:
                state[renamed] = value
                break
        else:
            raise ValueError(f"unknown parameter {name}")
    for name in [n for n in state if n.endswith(".conv.bias")]:
        mean = name.replace(".conv.bias", ".norm.running_mean")
        state[mean] = state[mean] - state.pop(name)
    return state


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the state dict in a file of `torch.save`. Raise `InputError` or `ValueError`."""
    try:
        content = load_torch_file(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:  # Its message advises to execute code from the file.
        raise ValueError("it is damaged or holds more than tensors and plain values") from error
    except InputError:
        raise
    except Exception as error:  # Damaged files raise many kinds of exceptions.
        raise ValueError("it is damaged") from error
    if not isinstance(content, dict):
        raise ValueError("it holds no weights")
    content = content.get("state_dict", content)
    check_tensors(content, path.stat().st_size)
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("it holds values that are not tensors")
    return dict(content)


def _build(state: Mapping[str, Tensor], size: tuple[int, int]) -> CPN:
    """Build a network of the shapes in a state dict, and load it. Shapes are compared before it is built."""
    blocks = [
        len({n.split(".")[2] for n in state if n.startswith(f"backbone.layer{stage}.")})
        for stage in (1, 2, 3, 4)
    ]
    if max(blocks) > _MOST_BLOCKS or max(size) > _LARGEST_CROP:
        raise ValueError(
            f"expected up to {_MOST_BLOCKS} blocks and {_LARGEST_CROP} pixels, found {blocks}, {size}"
        )
    keypoints = state["refine_net.last.conv.weight"].shape[0]
    with torch.device("meta"):  # without memory for its numbers
        expected = CPN(keypoints=keypoints, size=size, blocks=blocks).state_dict()
    for name, value in expected.items():
        if name.endswith("num_batches_tracked") and name not in state:
            continue  # PyTorch before 0.4.1 did not count batches; the count is not used
        if name not in state or state[name].shape != value.shape:
            found = tuple(state[name].shape) if name in state else "nothing"
            raise ValueError(f"{name}: expected {tuple(value.shape)}, found {found}")
    model = CPN(keypoints=keypoints, size=size, blocks=blocks)
    model.load_state_dict(dict(state))
    return model.eval()
