"""Choose where networks run."""

from __future__ import annotations

import torch

from ..errors import UsageError


def choose_device(name: str) -> str:
    """Return the device called `name`; "auto" is "cuda" if a GPU is usable, else "cpu".

    Raises:
        UsageError: The device is unknown or cannot be used here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name} cannot be used here; known to work: cpu") from error
    return name
