"""What a training step reads, and batches made one ahead of their use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What one training step reads.

    keypoints: (N, F, 17, 2) in the Human3.6M layout and the configured input space. pose: (N, 17, 3) H36M17
    of the window's target frame, metres, root at 0; in camera space, or for centred input in that of the
    frame's virtual camera. root: (N, 3) its root in camera space, metres.
    """

    keypoints: Tensor
    pose: Tensor
    root: Tensor


Made = TypeVar("Made")


class BatchSource(Protocol):
    """Where batches come from.

    joints: of the keypoints, and of the poses. steps: of the whole run. epoch: steps of one, None where the
    material is endless.
    """

    @property
    def joints(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def epoch(self) -> int | None: ...  # noqa: D102

    def draw(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step, or the share of process `rank` of `world`.

        Keypoints (N, receptive field − 1 + chunk, K, 2), poses (N, chunk, J, 3), or (N, J, 3) where the chunk
        is 1. It depends on seed, step, rank and world alone, so a resumed run sees what it would have seen.
        """


def one_ahead(make: Callable[[int], Made], step: int, device: str) -> Iterator[Made]:
    """make(step), make(step + 1) and so on, each begun in a thread while the one before is being used."""
    with ThreadPoolExecutor(1, initializer=_choose, initargs=(device,)) as pool:
        ahead = pool.submit(make, step)
        while True:
            made = ahead.result()
            step += 1
            ahead = pool.submit(make, step)
            yield made


def _choose(device: str) -> None:
    """Make a thread use this process's GPU, where there are several."""
    if torch.device(device).index is not None:
        torch.cuda.set_device(device)


def to_device(device: str, values: Tensor) -> Tensor:
    """Without waiting for the GPU."""
    if values.device.type == torch.device(device).type:
        return values
    return values.pin_memory().to(device, non_blocking=True)
