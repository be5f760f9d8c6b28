"""Training batches: what a step reads, where batches come from, and how they are made ahead of time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

from .distributed import rank_and_world_size


@dataclass(frozen=True)
class Batch:
    """What one step of lifter training reads.

    Attributes:
        keypoints: (N, receptive field − 1 + chunk, K, 2) keypoints in the configured input space.
        pose: (N, chunk, J, 3), or (N, J, 3) if the chunk is 1: true poses of the target frames, metres, root
            at 0. They are in camera space, or for centred input in that of the frame's virtual camera.
        root: (N, chunk, 3), or (N, 3) if the chunk is 1: true roots in camera space, metres.
    """

    keypoints: Tensor
    pose: Tensor
    root: Tensor

    def to(self, device: str) -> Batch:
        """Return the batch on a device, without waiting for the GPU."""
        return Batch(
            to_device(self.keypoints, device), to_device(self.pose, device), to_device(self.root, device)
        )

    def part(self, start: int, stop: int) -> Batch:
        """Return the samples from `start` to before `stop`. They share memory with this batch."""
        return Batch(self.keypoints[start:stop], self.pose[start:stop], self.root[start:stop])


class BatchSource(Protocol):
    """Where the batches of lifter training come from."""

    @property
    def num_joints_in(self) -> int:
        """Joints of the keypoints."""

    @property
    def num_joints_out(self) -> int:
        """Joints of the poses."""

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""

    @property
    def steps_per_epoch(self) -> int | None:
        """Steps of an epoch; None if the training data is endless."""

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, or the part of it that process `rank` of `world_size` trains on.

        The result depends on the source's seed and on the arguments alone, so a resumed run sees what an
        uninterrupted one sees.
        """


class Movable(Protocol):
    """A batch of any training."""

    def to(self, device: str) -> Self:
        """Return the batch on a device."""


AnyBatch = TypeVar("AnyBatch", bound=Movable)


def prefetched(sample: Callable[..., AnyBatch], step: int, device: str) -> Generator[AnyBatch, None, None]:
    """Yield the batches of `step` and all later steps on a device, each made in a thread one step ahead.

    Args:
        sample: As `BatchSource.sample`; it is called with this process's rank and the world size.
        step: The first step.
        device: Where the batches are needed. Those that are made there are not copied.
    """
    rank, world_size = rank_and_world_size()

    def make(at: int) -> AnyBatch:
        return sample(at, rank=rank, world_size=world_size).to(device)

    with ThreadPoolExecutor(1, initializer=_choose_gpu, initargs=(device,)) as pool:
        ahead = pool.submit(make, step)
        while True:
            batch = ahead.result()
            step += 1
            ahead = pool.submit(make, step)
            yield batch


def _choose_gpu(device: str) -> None:
    """Make a thread use this process's GPU, if there are several."""
    if torch.device(device).index is not None:
        torch.cuda.set_device(device)


def to_device(values: Tensor, device: str) -> Tensor:
    """Return values on a device, without waiting for the GPU."""
    if values.device.type == torch.device(device).type:
        return values
    return values.pin_memory().to(device, non_blocking=True)
