"""Choose where networks run."""

from __future__ import annotations

import ctypes
import sys
from importlib.metadata import version

from ..errors import UsageError


def choose_device(name: str) -> str:
    """Return the device called `name`; "auto" is "cuda" if a GPU is usable, else "cpu".

    torch, which takes a second to import, is imported only if the answer depends on it.

    Raises:
        UsageError: The device is unknown or cannot be used here.
    """
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name} cannot be used here; known to work: cpu") from error
    return name


def _may_have_gpu() -> bool:
    """Whether the installed torch might use a GPU: it is built for one, and the driver is there."""
    build = version("torch").partition("+")[2]
    if build == "cpu" or sys.platform == "darwin":
        return False
    if build and not build.startswith("cu"):
        return True  # another maker's GPU: let torch look for it
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
