"""Where networks run."""

from __future__ import annotations

import torch

from ..errors import UsageError


def choose_device(name: str) -> str:
    """ "auto" becomes "cuda" where there is a usable GPU, else "cpu". Raises `UsageError`."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name} cannot be used here; known to work: cpu") from error
    return name
