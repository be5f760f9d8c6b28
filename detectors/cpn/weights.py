"""Weights of the cascaded pyramid network: our files, published ones, backbones trained on ImageNet."""

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
from safetensors.torch import save_file
from torch import Tensor

from ...errors import InputError
from ...files import replacing
from ...skeleton import COCO17, Skeleton
from ..coco.keypoint_names import names_in_files, skeleton_from_file
from .network import CPN

_FORMAT = "videopose cpn"

# Names in the published PyTorch checkpoints → names here.
_PUBLISHED = (
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
    """A network and what its file says: which keypoints it finds, and further facts (plain values).

    shift: pixels of the frame to add to what it finds. The published networks learnt COCO's numbers of pixels
    for their places, half a pixel off.
    """

    model: CPN
    keypoints: Skeleton
    about: Mapping[str, Any] = field(default_factory=dict)
    shift: float = 0.0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.safetensors` file. Raises `OutputError`."""
        told = {
            "keypoints": list(names_in_files(self.keypoints)),
            "bones": [list(bone) for bone in self.keypoints.bones],
            "size": list(self.model.size),
            "about": dict(self.about),
        }
        state = {name: value.detach().cpu().contiguous() for name, value in self.model.state_dict().items()}
        with replacing(path) as partial:
            save_file(state, partial, {"format": _FORMAT, "videopose": json.dumps(told, ensure_ascii=False)})


def load_cpn(path: str | os.PathLike[str]) -> CPNWeights:
    """Read weights, ours (`.safetensors`) or published ones; the model is in evaluation mode.

    Published checkpoints do not name their keypoints: they are COCO's, and crops are 384 × 288 pixels.
    No code from a file runs. Raises `InputError` for another file.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        if file.suffix == ".safetensors":
            with safe_open(file, "pt") as tensors:
                metadata = tensors.metadata() or {}
                state = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
            if metadata.get("format") != _FORMAT:
                raise ValueError("it holds another network")
            told = json.loads(metadata["videopose"])
            keypoints = skeleton_from_file(told["keypoints"], [(a, b) for a, b in told["bones"]])
            height, width = told["size"]
            return CPNWeights(_build(state, (height, width)), keypoints, told["about"])
        state = translate(_read_tensors(file))
        model = _build(state, (384, 288))
        if model.keypoints != len(COCO17):
            raise ValueError(f"it has {model.keypoints} keypoints, of which nothing says which they are")
        return CPNWeights(model, COCO17, {"source": "published checkpoint"}, 0.5)
    except (AttributeError, KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else (str(error).splitlines() or [""])[0]
        raise InputError(f"{path} is not a file of CPN weights ({reason})") from error


def load_backbone(model: CPN, path: str | os.PathLike[str]) -> None:
    """Fill the backbone from a ResNet that was trained on ImageNet, as published for PyTorch (`.pth`).

    Raises `InputError` where the file holds another network.
    """
    try:
        state = _read_tensors(Path(path))
        model.backbone.load_state_dict({n: v for n, v in state.items() if not n.startswith("fc.")})
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a ResNet of {sum(model.blocks)} blocks") from error


def is_backbone(path: str | os.PathLike[str]) -> bool:
    """Whether a file of weights is a ResNet alone. Raises `InputError` where it is no such file."""
    if Path(path).suffix == ".safetensors":
        return False
    try:
        return "conv1.weight" in _read_tensors(Path(path))
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a file of weights ({error})") from error


def translate(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict under the names used here.

    Earlier published code gave the pyramid's merging convolutions a bias, which the batch norm after them
    takes away again: it goes into that one's mean.
    """
    state: dict[str, Tensor] = {}
    for name, value in published.items():
        name = name.removeprefix("module.")
        for pattern, replacement in _PUBLISHED:
            renamed, found = re.subn(f"^{pattern}", replacement, name)
            if found:
                state[renamed] = value
                break
        else:
            raise ValueError(f"it has an unknown part {name}")
    for name in [n for n in state if n.endswith(".conv.bias")]:
        mean = name.replace(".conv.bias", ".norm.running_mean")
        state[mean] = state[mean] - state.pop(name)
    return state


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """The state dict in a file of `torch.save`. Raises `InputError`, `ValueError`."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:  # whose text advises to run the file's code
        raise ValueError("it is damaged or holds more than tensors and plain values") from error
    except (EOFError, RuntimeError) as error:
        raise ValueError("it is damaged") from error
    content = content.get("state_dict", content)
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("it does not hold tensors alone")
    return dict(content)


def _build(state: Mapping[str, Tensor], size: tuple[int, int]) -> CPN:
    """A network of the state dict's shapes, filled from it."""
    blocks = [
        len({n.split(".")[2] for n in state if n.startswith(f"backbone.layer{stage}.")})
        for stage in (1, 2, 3, 4)
    ]
    keypoints = state["refine_net.last.conv.weight"].shape[0]
    model = CPN(keypoints=keypoints, size=size, blocks=blocks)
    model.load_state_dict(dict(state))
    return model.eval()
