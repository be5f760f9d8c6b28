"""Several processes that train one model together, as `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ...errors import UsageError

_PATIENCE = timedelta(hours=6)  # the others wait while the first measures


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that `torchrun` started with this one; give the device that is this one's.

    A process of its own gets `device` back. Raises `UsageError` where there are fewer GPUs than processes.
    """
    if not distributed.is_torchelastic_launched():
        yield device
        return
    backend = "gloo"
    if torch.device(device).type == "cuda":
        backend, local = "nccl", int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise UsageError(
                f"{torch.cuda.device_count()} GPUs for more processes; see torchrun --nproc-per-node"
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def place() -> tuple[int, int]:
    """This process's number, and how many there are: (0, 1) for one on its own."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def share(module: nn.Module, device: str) -> nn.Module:
    """The module to call in training: alone itself, else one that averages gradients over the processes.

    On GPUs batch normalisation takes its statistics over the whole batch, which changes `module` in place;
    on CPUs, where torch cannot, each process normalises its own share and the first one's running
    statistics are kept.
    """
    if place()[1] == 1:
        return module
    if torch.device(device).type != "cuda":
        return DistributedDataParallel(module)
    module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(module, device_ids=[torch.device(device).index])


def gather(value: Any) -> list[Any]:
    """Every process's value in order for the first, nothing for the others."""
    rank, world = place()
    if world == 1:
        return [value]
    values = [None] * world if rank == 0 else None
    distributed.gather_object(value, values)
    return values or []
