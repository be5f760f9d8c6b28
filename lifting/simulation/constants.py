"""Fixed tensors on the device where they are used."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


@cache
def on_device(constant: Tensor, device: torch.device) -> Tensor:
    """Return a module's constant on `device`; it is copied there once and kept."""
    return constant.to(device)


@cache
def indices(values: tuple[int, ...], device: torch.device) -> Tensor:
    """Return indices as a tensor on `device`; indexing with a list would copy it there in every step."""
    return torch.tensor(values, device=device)
