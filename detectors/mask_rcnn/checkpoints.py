"""Checkpoints of fine-tuning Mask R-CNN, in detectron2's format.

Importing this module imports detectron2: call `require_detectron2` first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import InputError
from ...files import replacing
from .model import SafeCheckpointer, read_checkpoint

BEST = "model_best"
"""The file of the best weights, without its suffix `.pth`."""


class BaseCheckpointer(SafeCheckpointer):
    """Loads everything except the last keypoint layer, which keeps its random weights."""

    def _load_file(self, filename: str) -> dict[str, Any]:
        content = read_checkpoint(Path(filename))
        kept = {n: v for n, v in content["model"].items() if "score_lowres" not in n and "kps_score" not in n}
        return {**content, "model": kept}


class RunCheckpointer(SafeCheckpointer):
    """detectron2's checkpointer. Its files appear whole or not at all, and also hold what is `told`."""

    def __init__(self, model: nn.Module, folder: Path, told: dict[str, Any], **checkpointables: Any) -> None:
        super().__init__(model, str(folder), **checkpointables)
        self.told = told

    def save(self, name: str, **more: Any) -> None:
        """Write `<name>.pth` and make it the one to resume from."""
        if not self.save_to_disk:
            return
        content = {"model": self.model.state_dict(), **self.told, **more}
        content |= {key: value.state_dict() for key, value in self.checkpointables.items()}
        path = Path(self.save_dir) / f"{name}.pth"
        with replacing(path) as partial:
            torch.save(content, partial)
        self.tag_last_checkpoint(path.name)


class BestCheckpointer(RunCheckpointer):
    """Saves the weights, in files that are not resumed from."""

    def tag_last_checkpoint(self, last_filename_basename: str) -> None:
        """Leave the file to resume from as it is."""


def first_iteration(folder: Path, fingerprint: str) -> int:
    """Return the iteration that a resumed run begins with.

    Raises:
        InputError: There is no fitting checkpoint.
    """
    name = folder / "last_checkpoint"
    if not name.is_file():
        raise InputError(f"nothing to resume: {name} does not exist")
    content = read_checkpoint(folder / name.read_text("utf-8", "replace").strip())
    if not isinstance(content.get("iteration"), int) or "trainer" not in content:
        raise InputError(f"{folder} holds no checkpoint of fine-tuning")
    if content.get("recipe") != fingerprint:
        raise InputError(
            f"{folder} belongs to another recipe or other annotations; give the same ones, or begin anew "
            "with --overwrite"
        )
    return int(content["iteration"]) + 1
