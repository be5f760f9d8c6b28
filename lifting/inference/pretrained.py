"""The pretrained lifters by name, and loading of any lifter by its name or path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError, shown

if TYPE_CHECKING:
    from .lifter import Lifter

DEFAULT = "default"
_WEIGHTS = Path(__file__).parents[1] / "weights"


def pretrained_lifters() -> dict[str, Path]:
    """Return the name and file of every lifter that comes with the package."""
    return {path.stem: path for path in sorted(_WEIGHTS.glob("*.safetensors"))}


def load_lifter(
    name: str | os.PathLike[str] = DEFAULT, *, layout: str | None = None, causal: bool = False
) -> Lifter:
    """Load a lifter by its name or from a file, ready for inference. No code from the file runs.

    Args:
        name: Name of a pretrained lifter such as "default" or "causal", or the path of a lifter's file:
            `.safetensors` as this package writes, or a VideoPose3D checkpoint (`.bin`, `.pt`, `.pth`).
        layout: Layout of the keypoints that a VideoPose3D checkpoint reads, such as "coco17". See
            `load_videopose3d_checkpoint` for the default.
        causal: The VideoPose3D checkpoint is a causal model.

    Raises:
        UsageError: The name is unknown, or `layout` or `causal` is given for a lifter that is not a
            VideoPose3D checkpoint.
        InputError: The file cannot be read.
    """
    # These load torch, which listing the names does not need.
    from .lifter import Lifter
    from .videopose3d_checkpoint import load_videopose3d_checkpoint

    if not isinstance(name, str | os.PathLike):
        raise UsageError(f"expected the name of a lifter, or the path of its file, found {shown(name)}")
    name, known = os.fspath(name), pretrained_lifters()
    suffix = Path(name).suffix
    if name not in known and suffix in (".bin", ".pt", ".pth"):
        return load_videopose3d_checkpoint(name, layout=layout, causal=causal)
    if layout is not None or causal:
        raise UsageError(
            f"the lifter {name} states its layout itself; --lifter-layout and --lifter-causal are for "
            "VideoPose3D checkpoints (.bin)"
        )
    if name in known:
        return Lifter.load(known[name])
    if suffix == ".safetensors":
        return Lifter.load(name)
    raise UsageError(
        f"unknown lifter {name!r}; known: {', '.join(known)}, or a path to a .safetensors or .bin file"
    )
