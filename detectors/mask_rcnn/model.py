"""detectron2's Keypoint R-CNN: its configuration, its network, and safe reading of weights.

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

from ...bounded import check_regular
from ...errors import AssetError, InputError, UsageError, is_out_of_memory, one_line
from ...torch_files import check_tensors, load_torch_file
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

_LARGEST = 8192  # pixels: the longest side to which pictures are scaled
_USUAL_SIZE = 300 << 20  # bytes of the largest usual network, and some

_LAST_OF_R101 = ".res4.22."  # A block that R-50 does not have.
_KEYPOINT_LAYER = "roi_heads.keypoint_head.score_lowres.weight"  # (channels, keypoints, 4, 4)


def configuration(backbone: str = DEFAULT_BACKBONE, settings: Mapping[str, object] | None = None) -> CfgNode:
    """Return detectron2's configuration of a backbone, with some settings replaced.

    Args:
        backbone: A name in `BACKBONES`.
        settings: Values by detectron2's names, such as "MODEL.DEVICE".

    Raises:
        UsageError: The backbone is unknown.
    """
    config = model_zoo.get_config(_config_name(backbone))
    config.merge_from_list([part for setting in (settings or {}).items() for part in setting])
    return config


def _config_name(backbone: str) -> str:
    """Return the name of detectron2's configuration of a backbone."""
    try:
        return BACKBONES[backbone]
    except KeyError:
        known = ", ".join(BACKBONES)
        raise UsageError(f"there is no backbone {backbone!r}; the known ones are: {known}") from None


def build_network(config: CfgNode, *, decode: Decoding = "soft-argmax") -> nn.Module:
    """Build the network with random weights, in training mode.

    Args:
        config: detectron2's configuration. It is not changed.
        decode: How a heatmap is converted to a position.
    """
    config = config.clone()
    with registered() as head:
        if decode == "soft-argmax":
            config.MODEL.ROI_KEYPOINT_HEAD.NAME = head
        return build_model(config)


def zoo_weights(backbone: str) -> Path:
    """Return the file of the model zoo's weights in detectron2's cache. Download it if it is not there.

    Args:
        backbone: A name in `BACKBONES`.

    Raises:
        AssetError: The weights cannot be downloaded, or the file is damaged.
        UsageError: The backbone is unknown.
    """
    url = model_zoo.get_checkpoint_url(_config_name(backbone))
    log = logging.getLogger("iopath.common.download")
    was_disabled, log.disabled = log.disabled, True  # It would repeat the error below.
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
    if not path.stem.endswith(md5[:6]):  # Names in the model zoo end with the start of the MD5.
        raise AssetError(f"{path}, fetched from {url}, is damaged: remove it and try again")
    return path


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint in the form that detectron2's checkpointer expects. No code in it is executed.

    Args:
        path: A `.pkl` file of the model zoo or of Caffe2, a `.safetensors` file of parameters, or a file of
            `torch.save` with any other suffix.

    Returns:
        The parameters by name under "model", and the other contents of the file.

    Raises:
        InputError: The file is missing, damaged, or does not hold weights.
    """
    try:
        if path.suffix == ".pkl":
            content = load_pickle(path)
        elif path.suffix == ".safetensors":
            check_regular(path)
            content = load_file(path)
        else:
            content = load_torch_file(path)
    except InputError:
        raise
    except Exception as error:  # Damaged files raise many kinds of exceptions.
        raise InputError(f"{path} cannot be read as weights ({one_line(error)})") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise InputError(f"{path} holds no weights")
    weights = content.get("model", content)
    try:
        check_tensors(weights if isinstance(weights, dict) else {}, path.stat().st_size)
    except ValueError as error:
        raise InputError(f"{path} cannot be read as weights ({error})") from error
    if "model" in content:
        return content
    if path.suffix == ".pkl":
        return {"model": content.get("blobs", content), "__author__": "Caffe2", "matching_heuristics": True}
    return {"model": content}


class SafeCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """detectron2's checkpointer without the execution of code from a file. `load` raises `InputError`."""

    def _load_file(self, filename: str) -> dict[str, Any]:
        return read_checkpoint(Path(filename))


class _StrictCheckpointer(SafeCheckpointer):
    """A checkpointer of a checkpoint that is already read, which must have all parameters of the network."""

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
    """A network with weights.

    Attributes:
        model: The network, in evaluation mode.
        config: detectron2's configuration of it.
        backbone: Its name in `BACKBONES`.
        keypoints: Names of the keypoints it finds.
    """

    model: nn.Module
    config: CfgNode
    backbone: str
    keypoints: tuple[str, ...]


def _check_size(config: CfgNode, path: Path) -> None:
    """Check, before memory is allocated, that a network is not much larger than its file. `ValueError`."""
    config = config.clone()
    config.MODEL.DEVICE = "meta"
    with torch.device("meta"):  # without memory for its numbers
        size = sum(value.nbytes for value in build_network(config).state_dict().values())
    if size > 2 * path.stat().st_size + _USUAL_SIZE:  # files may be in 16 bits
        raise ValueError(f"its network has {size:,} bytes, much more than the file")


def load_network(
    path: Path, *, decode: Decoding = "soft-argmax", settings: Mapping[str, object] | None = None
) -> KeypointRCNN:
    """Read weights and build their network.

    The names and shapes of the parameters determine the backbone and the number of keypoints. If the
    keypoints are not COCO's, the file has a list of their names under "keypoints", beside "model". If the
    network differs from detectron2's configuration, the file has its settings under "settings".

    Args:
        path: See `read_checkpoint`.
        decode: How a heatmap is converted to a position.
        settings: See `configuration`.

    Raises:
        InputError: The file does not hold weights of Keypoint R-CNN.
    """
    checkpoint = read_checkpoint(path)
    parameters = checkpoint["model"]
    try:
        backbone = "R-101" if any(_LAST_OF_R101 in name for name in parameters) else "R-50"
        config = configuration(backbone, {**checkpoint.get("settings", {}), **(settings or {})})
        if max(config.INPUT.MIN_SIZE_TEST, config.INPUT.MAX_SIZE_TEST) > _LARGEST:
            raise ValueError(f"pictures of more than {_LARGEST} pixels")
        count = config.MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS = parameters[_KEYPOINT_LAYER].shape[1]
        names = tuple(str(name) for name in checkpoint.get("keypoints", COCO_NAMES))
        if len(names) != count:
            raise ValueError(f"expected {count} names of keypoints, found {len(names)}")
        _check_size(config, path)
        model = build_network(config, decode=decode)
        _StrictCheckpointer(model, checkpoint).load(str(path))
    except Exception as error:  # a file can have settings of every kind
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path} holds no weights of detectron2's Keypoint R-CNN ({one_line(error)})"
        ) from error
    return KeypointRCNN(model.eval(), config, backbone, names)
