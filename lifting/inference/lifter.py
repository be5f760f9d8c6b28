"""A lifter: the temporal model with its weights, and what they were trained to read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...errors import InputError, UsageError
from ...files import replacing
from ...skeleton import SKELETONS
from ..cameras.input_space import _SPACES, InputSpace
from ..network.fused_model import FoldedModel, Precision
from ..network.temporal_model import TemporalModel

_FORMAT = "videopose lifter 1"
_TRAJECTORY = "model_traj."


@dataclass(frozen=True)
class Lifter:
    """A pose model, perhaps a trajectory model beside it, and what they read.

    layout: the input's skeleton by name ("h36m17" or "coco17"). input_space: "centred" (see
    `centring.centre`), "rays" or "screen" (see `camera.to_rays`, `camera.to_screen`). rate: frames a second
    it was trained at, None where unknown.
    about: training data and its licence, measured errors and the like, JSON-like. folded: see `in_precision`.
    Raises `ValueError` for an unknown layout or space, or models that do not belong together.
    """

    model: TemporalModel
    layout: str
    input_space: InputSpace
    rate: float | None
    trajectory: TemporalModel | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    folded: FoldedModel | None = None

    def __post_init__(self) -> None:
        if self.layout not in SKELETONS:
            raise ValueError(f"unknown layout {self.layout!r}; known: {', '.join(SKELETONS)}")
        if self.model.num_joints_in != len(SKELETONS[self.layout]):
            raise ValueError(f"the model reads {self.model.num_joints_in} joints, not {self.layout}'s")
        if self.input_space not in _SPACES:
            raise ValueError(f"unknown input space {self.input_space!r}; known: {', '.join(_SPACES)}")
        if self.input_space == "centred" and self.layout != "h36m17":
            raise ValueError("centred rays are made for the h36m17 layout")
        if self.trajectory is not None and (
            self.trajectory.receptive_field != self.model.receptive_field
            or self.trajectory.causal != self.model.causal
            or self.trajectory.num_joints_out != 1
        ):
            raise ValueError("the trajectory model must see the same frames and give one joint")

    @property
    def network(self) -> TemporalModel | FoldedModel:
        """The pose model as inference runs it."""
        return self.folded or self.model

    @property
    def precision(self) -> Precision:
        """Of the network's hidden layers."""
        return "float32" if self.folded is None else "bfloat16"

    def in_precision(self, precision: Precision) -> Lifter:
        """The same lifter, whose `network` is made for this precision from the weights as they are now.

        Worth doing once for many tracks. In float32 the model runs as it is, to give the published numbers;
        the trajectory model always does. Raises `UsageError` for another precision.
        """
        if precision not in get_args(Precision):
            raise UsageError(f"--precision is {' or '.join(get_args(Precision))}, not {precision}")
        folded = FoldedModel(self.model, torch.bfloat16) if precision == "bfloat16" else None
        return replace(self, folded=folded)

    def to(self, device: str | torch.device) -> Lifter:
        """The same lifter, in float32, with its models moved to `device` (in place)."""
        self.model.to(device)
        if self.trajectory is not None:
            self.trajectory.to(device)
        return self.in_precision("float32")

    def digest(self) -> str:
        """sha256 over the names and bytes of all weights."""
        return _digest(self._tensors())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as `.safetensors`, atomically. The pose model's tensors carry the published names, the
        trajectory model's the same behind `model_traj.`. Raises `OutputError`."""
        tensors = self._tensors()
        header = {
            "format": _FORMAT,
            "model": _architecture(self.model),
            "trajectory": _architecture(self.trajectory) if self.trajectory else None,
            "layout": self.layout,
            "input_space": self.input_space,
            "rate": self.rate,
            "about": dict(self.about),
            "sha256": _digest(tensors),
        }
        with replacing(path) as partial:
            # (`save_file` would make a file that only its owner may read.)
            partial.write_bytes(save(tensors, {k: json.dumps(v) for k, v in header.items()}))

    def _tensors(self) -> dict[str, Tensor]:
        tensors = dict(self.model.state_dict())
        if self.trajectory is not None:
            tensors |= {_TRAJECTORY + k: v for k, v in self.trajectory.state_dict().items()}
        return {k: v.detach().cpu().contiguous() for k, v in tensors.items()}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lifter:
        """Read a lifter written by `save`, ready for inference. Runs no code from the file.

        Raises `InputError` for a missing, damaged or foreign file.
        """
        if not Path(path).is_file():
            raise InputError(f"{path}: no such lifter file")
        try:
            with safe_open(path, framework="pt") as file:
                header = {k: json.loads(v) for k, v in (file.metadata() or {}).items()}
                tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)
            if header.get("format") != _FORMAT:
                raise ValueError("its header does not say what it is")
            if _digest(tensors) != header["sha256"]:
                raise ValueError("its weights do not match its checksum")
            pose = {k: v for k, v in tensors.items() if not k.startswith(_TRAJECTORY)}
            root = {k.removeprefix(_TRAJECTORY): v for k, v in tensors.items() if k not in pose}
            return cls(
                build_model(header["model"], pose),
                header["layout"],
                header["input_space"],
                header["rate"],
                build_model(header["trajectory"], root) if header["trajectory"] else None,
                header["about"],
            )
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{path} is not a lifter written by videopose ({error})") from error


def build_model(architecture: Mapping[str, Any], weights: Mapping[str, Tensor]) -> TemporalModel:
    """A model in evaluation mode. Raises `RuntimeError` where weights and architecture disagree."""
    model = TemporalModel(**architecture)
    model.load_state_dict(weights)
    return model.eval()


def _architecture(model: TemporalModel) -> dict[str, Any]:
    names = "num_joints_in in_features num_joints_out filter_widths causal dropout channels dense"
    return {name: getattr(model, name) for name in names.split()}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(tensors[name].numpy().tobytes())
    return sha.hexdigest()
