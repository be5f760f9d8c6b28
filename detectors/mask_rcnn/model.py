"""detectron2's Keypoint R-CNN: its configuration, its network, and weights that run no code.

Importing this module imports detectron2: call `require_detectron2` first.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from detectron2 import model_zoo
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.utils.file_io import PathManager
from safetensors.torch import load_file
from torch import nn

from ...errors import AssetError, InputError, UsageError
from ...unpickle import load_pickle
from ..coco.keypoint_names import COCO_NAMES
from ..soft_argmax import Decoding
from .keypoint_head import registered

BACKBONES = {
    "R-101": "COCO-Keypoints/keypoint_rcnn_R_101_FPN_3x.yaml",
    "R-50": "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml",
}
"""Backbones by name, and detectron2's configuration for each."""

DEFAULT_BACKBONE = "R-101"

_LAST_OF_R101 = ".res4.22."  # a block that the shallower backbone lacks
_KEYPOINT_LAYER = "roi_heads.keypoint_head.score_lowres.weight"  # (channels, keypoints, 4, 4)


def configuration(backbone: str = DEFAULT_BACKBONE, settings: Mapping[str, object] | None = None) -> CfgNode:
    """detectron2's own configuration with `settings`, values by detectron2's names such as "MODEL.DEVICE".

    Raises `UsageError` for an unknown backbone.
    """
    config = model_zoo.get_config(_config_name(backbone))
    config.merge_from_list([part for setting in (settings or {}).items() for part in setting])
    return config


def _config_name(backbone: str) -> str:
    try:
        return BACKBONES[backbone]
    except KeyError:
        known = ", ".join(BACKBONES)
        raise UsageError(f"there is no backbone {backbone!r}; the known ones are: {known}") from None


def build_network(config: CfgNode, *, decode: Decoding = "soft-argmax") -> nn.Module:
    """The network with random weights, in training mode, its heatmaps decoded as told."""
    config = config.clone()
    with registered() as head:
        if decode == "soft-argmax":
            config.MODEL.ROI_KEYPOINT_HEAD.NAME = head
        return build_model(config)


def zoo_weights(backbone: str) -> Path:
    """Where detectron2 keeps the model zoo's weights once it has fetched them, which it does here if need be.

    Raises `AssetError` where they cannot be had or arrive damaged, `UsageError` for an unknown backbone.
    """
    url = model_zoo.get_checkpoint_url(_config_name(backbone))
    log = logging.getLogger("iopath.common.download")
    was_disabled, log.disabled = log.disabled, True  # it says what the error below says
    try:
        path = Path(PathManager.get_local_path(url))
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    except OSError as error:
        raise AssetError(
            f"the weights of Mask R-CNN cannot be fetched from {url} ({getattr(error, 'reason', error)}): "
            "connect, or bring the file from elsewhere and give it as --weights FILE"
        ) from error
    finally:
        log.disabled = was_disabled
    if not path.stem.endswith(md5[:6]):  # the zoo's names end so
        raise AssetError(f"{path}, fetched from {url}, is damaged: remove it and try again")
    return path


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint as detectron2's checkpointer has it: parameters by name under "model", and other things.

    `.pkl` is the model zoo's format, or Caffe2's, `.safetensors` parameters alone, everything else PyTorch's.
    Nothing in the file is executed. Raises `InputError`.
    """
    try:
        if path.suffix == ".pkl":
            content = load_pickle(path)
        elif path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file of weights") from error
    except Exception as error:  # damaged files fail in many ways
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path} cannot be read as weights ({reason})") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise InputError(f"{path} holds no weights")
    if "model" in content:
        return content
    if path.suffix == ".pkl":
        return {"model": content.get("blobs", content), "__author__": "Caffe2", "matching_heuristics": True}
    return {"model": content}


class SafeCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """detectron2's checkpointer, which here runs no code from a file. `load` raises `InputError`."""

    def _load_file(self, filename: str) -> dict[str, Any]:
        return read_checkpoint(Path(filename))


class _StrictCheckpointer(SafeCheckpointer):
    """One that takes only a checkpoint of the whole network, which it was told beforehand."""

    def __init__(self, model: nn.Module, checkpoint: dict[str, Any]) -> None:
        super().__init__(model, save_to_disk=False)
        self._checkpoint = checkpoint

    def _load_file(self, filename: str) -> dict[str, Any]:
        return self._checkpoint

    def _log_incompatible_keys(self, incompatible: Any) -> None:
        wrong = [name for name, *_ in incompatible.incorrect_shapes] + incompatible.missing_keys
        if wrong:
            raise ValueError(f"{len(wrong)} parameters are missing or of another shape, such as {wrong[0]}")


@dataclass(frozen=True)
class KeypointRCNN:
    """A network with weights, in evaluation mode; the names of its backbone and of the keypoints it finds."""

    model: nn.Module
    config: CfgNode
    backbone: str
    keypoints: tuple[str, ...]


def load_network(
    path: Path, *, decode: Decoding = "soft-argmax", settings: Mapping[str, object] | None = None
) -> KeypointRCNN:
    """The network whose weights a file holds; `settings` as in `configuration`.

    Their names and shapes say which backbone and how many keypoints it is for. The keypoints' names, if
    they are not COCO's, are a list under "keypoints" beside "model"; a network that is not detectron2's
    usual one has its settings under "settings". Raises `InputError`.
    """
    checkpoint = read_checkpoint(path)
    parameters = checkpoint["model"]
    try:
        backbone = "R-101" if any(_LAST_OF_R101 in name for name in parameters) else "R-50"
        config = configuration(backbone, {**checkpoint.get("settings", {}), **(settings or {})})
        count = config.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS = parameters[_KEYPOINT_LAYER].shape[1]
        names = tuple(str(name) for name in checkpoint.get("keypoints", COCO_NAMES))
        if len(names) != count:
            raise ValueError(f"it names {len(names)} keypoints and has {count}")
        model = build_network(config, decode=decode)
        _StrictCheckpointer(model, checkpoint).load(str(path))
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no weights of detectron2's Keypoint R-CNN ({error})") from error
    return KeypointRCNN(model.eval(), config, backbone, names)
