"""Several processes that train one network together, as `torchrun` starts them."""

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

_TIMEOUT = timedelta(hours=6)  # the other processes wait while the first one measures


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the processes that `torchrun` started together with this one, while the block runs.

    Yields the device of this process: `device` itself if it was not started by `torchrun`.

    Raises:
        UsageError: There are fewer GPUs than processes.
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
    distributed.init_process_group(backend, timeout=_TIMEOUT)
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def rank_and_world_size() -> tuple[int, int]:
    """Return this process's number and the number of processes: (0, 1) outside a process group."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def wrap_ddp(network: nn.Module, device: str) -> nn.Module:
    """Return the module to call in training, which averages gradients over all processes.

    A single process gets the network itself. On GPUs batch normalisation takes its statistics over the whole
    batch, which changes `network` in place. PyTorch has no such batch normalisation on CPUs: there each
    process normalises its own part of the batch, and the first one's running statistics are kept.
    """
    if rank_and_world_size()[1] == 1:
        return network
    if torch.device(device).type != "cuda":
        return DistributedDataParallel(network)
    network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(network, device_ids=[torch.device(device).index])


def gather_to_first(value: Any) -> list[Any]:
    """Return every process's value, in order, to the first process, and an empty list to the others."""
    rank, world = rank_and_world_size()
    if world == 1:
        return [value]
    values = [None] * world if rank == 0 else None
    distributed.gather_object(value, values)
    return values or []
