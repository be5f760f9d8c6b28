"""Checkpoints: all that a training run needs to go on exactly where it stopped.

A checkpoint is a file of `torch.save`, which is a ZIP archive with a checksum (CRC-32) of every member.
PyTorch does not check them, so `Checkpoint.restore` does. Nothing in the file is executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile, ZipFile

import torch

from ...errors import InputError, one_line
from ...files import replacing
from ...torch_files import check_torch_file, load_torch_file
from .distributed import gather_to_first, rank_and_world_size


class Stateful(Protocol):
    """What a checkpoint can hold: networks, optimisers, `TrainingState`."""

    def state_dict(self) -> Any:
        """Return tensors and plain values."""

    def load_state_dict(self, state: Any, /) -> Any:
        """Take over what `state_dict` returned."""


def fingerprint(settings: Any) -> str:
    """Return a hash that changes with any of the settings, which are values that JSON knows."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The file that a training run is saved to.

    Attributes:
        path: The file.
        fingerprint: `fingerprint` of all settings that decide the result; a checkpoint of others is refused.
        settings: What these settings are called in the error message.
    """

    path: Path
    fingerprint: str
    settings: str = "configuration"

    def save(self, parts: Mapping[str, Stateful], device: str) -> None:
        """Write the parts and the states of the random generators.

        Of several processes all must call it; the first one writes.

        Raises:
            OutputError: The file cannot be written.
        """
        generators = (torch.get_rng_state(), torch.cuda.get_rng_state(device) if _on_gpu(device) else None)
        random = gather_to_first(generators)
        if rank_and_world_size()[0] != 0:
            return
        content = {name: part.state_dict() for name, part in parts.items()}
        with replacing(self.path) as partial:
            torch.save({"fingerprint": self.fingerprint, "random": random, **content}, partial)

    def restore(self, parts: Mapping[str, Stateful], device: str) -> None:
        """Read what `save` wrote into the parts and the random generators.

        It is exact for as many processes as wrote the file. With more processes, the additional ones keep
        their generators as they are.

        Raises:
            InputError: The file is missing, damaged, or of other settings.
        """
        if not self.path.exists():
            raise InputError(f"nothing to resume: {self.path} does not exist")
        try:
            content = self._read()
            known = content["fingerprint"]
            if known == self.fingerprint:
                for name, part in parts.items():
                    part.load_state_dict(content[name])
                rank, random = rank_and_world_size()[0], content["random"]
                if rank < len(random):
                    cpu, cuda = random[rank]
                    _set_generators(cpu, cuda, device)
        except Exception as error:  # a damaged file can fail in many ways
            reason = one_line(error)
            raise InputError(
                f"{self.path} is not a checkpoint of videopose, or is damaged ({reason}); begin anew with "
                "--overwrite"
            ) from error
        if known != self.fingerprint:
            raise InputError(
                f"{self.path} belongs to another {self.settings}; give the same one, or begin anew with "
                "--overwrite"
            )

    def _read(self) -> dict[str, Any]:
        check_torch_file(self.path)
        with ZipFile(self.path) as archive:
            if damaged := archive.testzip():
                raise BadZipFile(f"wrong checksum of {damaged}")
        content: dict[str, Any] = load_torch_file(self.path)
        return content


def _set_generators(cpu: torch.Tensor, cuda: torch.Tensor | None, device: str) -> None:
    torch.set_rng_state(cpu)
    if cuda is not None and _on_gpu(device):
        torch.cuda.set_rng_state(cuda, device)


def _on_gpu(device: str) -> bool:
    return torch.device(device).type == "cuda"
