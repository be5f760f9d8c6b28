"""The lifters that come with the project, by name, and the way from a name or a path to a lifter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError

if TYPE_CHECKING:
    from .lifter import Lifter

_WEIGHTS = Path(__file__).parents[1] / "weights"
DEFAULT = "default"


def shipped() -> dict[str, Path]:
    """Name → file of every lifter that ships."""
    return {path.stem: path for path in sorted(_WEIGHTS.glob("*.safetensors"))}


def load_lifter(name: str, *, layout: str | None = None, causal: bool = False) -> Lifter:
    """A shipped lifter by name, one of our files (`.safetensors`), or a published checkpoint (`.bin`).

    layout, causal: what a published checkpoint does not say of itself (see `load_published`).
    Raises `UsageError` for an unknown name and `InputError` for an unreadable file.
    """
    from .lifter import Lifter  # these load torch, which a list of names need not wait for
    from .videopose3d_checkpoint import load_published

    known = shipped()
    suffix = Path(name).suffix
    if name not in known and suffix in (".bin", ".pt", ".pth"):
        return load_published(name, layout=layout, causal=causal)
    if layout is not None or causal:
        raise UsageError(f"lifter {name} says itself what it reads; layout and causal are for .bin files")
    if name in known:
        return Lifter.load(known[name])
    if suffix == ".safetensors":
        return Lifter.load(name)
    raise UsageError(
        f"unknown lifter {name!r}; known: {', '.join(known)}, or a path to a .safetensors or .bin file"
    )
