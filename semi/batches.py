"""Batches of unlabeled footage, and of labeled data and footage together."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ..lifting.cameras.input_space import mirrored
from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training.batch import Batch, BatchSource, to_device
from .footage import Footage, mirrored_camera


@dataclass(frozen=True)
class UnlabeledBatch:
    """The unlabeled half of a training batch.

    Attributes:
        keypoints: (N, receptive field − 1 + chunk, K, 2) keypoints, as the networks read them.
        target: (N, chunk, S, 2) keypoints that the predicted joints are projected onto.
        weight: (N, chunk, S) how far each of them is trusted.
        camera: (N, 14) `Lens.parameters` of each sample's camera.
        person: (N,) numbers that are equal for samples of the same person.
    """

    keypoints: Tensor
    target: Tensor
    weight: Tensor
    camera: Tensor
    person: Tensor

    def to(self, device: str) -> UnlabeledBatch:
        """Return the batch on a device, without waiting for the GPU."""
        return UnlabeledBatch(*(to_device(getattr(self, each.name), device) for each in fields(self)))


class UnlabeledBatches:
    """Samples of footage in an endless sequence.

    A sample is a chunk of frames with the receptive field around each. Every pass visits each chunk once, in
    a new order, and with `flip` its mirror image too. Clips are continued beyond their ends by their first
    and last frame.

    Args:
        footage: The clips.
        model: A network of the receptive field that is needed.
        chunk: Neighbouring frames that are predicted together.
        flip: Whether mirror images are used too.
        seed: Decides the order.
    """

    def __init__(
        self, footage: Footage, model: TemporalModel, *, chunk: int = 1, flip: bool = True, seed: int = 0
    ) -> None:
        clips = footage.clips
        self.footage, self.chunk, self.flip, self.seed = footage, chunk, flip, seed
        self.keypoints = torch.from_numpy(np.concatenate([clip.lifter_input for clip in clips]))
        self.target = torch.from_numpy(np.concatenate([clip.target for clip in clips]))
        self.weight = torch.from_numpy(np.concatenate([clip.weight for clip in clips]))
        self.camera = torch.stack([clip.camera for clip in clips]).float()
        self.person = torch.tensor([clip.person for clip in clips])

        lengths = torch.tensor([len(clip) for clip in clips])
        self.first = lengths.cumsum(0) - lengths
        self.last = self.first + lengths - 1
        # The chunks of a clip are centred on it: if they are longer, they reach beyond both ends alike.
        counts = (lengths + chunk - 1) // chunk
        self.clip = torch.arange(len(clips)).repeat_interleave(counts)
        number = torch.arange(len(self.clip)) - (counts.cumsum(0) - counts)[self.clip]
        self.start = (self.first - (counts * chunk - lengths) // 2)[self.clip] + number * chunk

        before, after = model.padding
        self.window = torch.arange(-before, chunk + after)
        self._orders: dict[int, Tensor] = {}

    def __len__(self) -> int:
        """Samples of one pass."""
        return len(self.clip) * (2 if self.flip else 1)

    def sample(self, first: int, count: int) -> UnlabeledBatch:
        """Return the samples `first` to `first + count` of the sequence.

        The result depends on the seed and on the arguments alone.
        """
        places = torch.arange(first, first + count)
        passes = places // len(self)
        numbers = range(first // len(self), (first + count - 1) // len(self) + 1)
        chosen = torch.cat([self._order(n)[places[passes == n] % len(self)] for n in numbers])
        mirrored, sample = chosen >= len(self.clip), chosen % len(self.clip)
        clip, start = self.clip[sample], self.start[sample, None]
        low, high = self.first[clip, None], self.last[clip, None]
        window = (start + self.window).clamp(low, high)
        target = (start + torch.arange(self.chunk)).clamp(low, high)
        mirror = mirrored[:, None, None, None]
        return UnlabeledBatch(
            torch.where(mirror, *_mirrored_and_plain(self.keypoints[window], self.footage.mirror_input)),
            torch.where(mirror, *_mirrored_and_plain(self.target[target], self.footage.mirror_target)),
            torch.where(
                mirrored[:, None, None],
                self.weight[target][..., list(self.footage.mirror_target)],
                self.weight[target],
            ),
            torch.where(mirrored[:, None], mirrored_camera(self.camera[clip]), self.camera[clip]),
            self.person[clip],
        )

    def _order(self, number: int) -> Tensor:
        """The order of a pass. Those of a pass and of the one before are kept."""
        if number not in self._orders:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
            self._orders = {
                **{k: v for k, v in self._orders.items() if k == number - 1},
                number: torch.randperm(len(self), generator=generator),
            }
        return self._orders[number]


def _mirrored_and_plain(points: Tensor, mirror: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    return mirrored(points, mirror), points


@dataclass(frozen=True)
class MixedBatch:
    """What one step of semi-supervised training reads: a labeled half and perhaps an unlabeled one."""

    labeled: Batch
    unlabeled: UnlabeledBatch | None

    @property
    def keypoints(self) -> Tensor:
        """Those of both halves, the labeled one first."""
        if self.unlabeled is None:
            return self.labeled.keypoints
        return torch.cat([self.labeled.keypoints, self.unlabeled.keypoints])

    def to(self, device: str) -> MixedBatch:
        """Return the batch on a device, without waiting for the GPU."""
        return MixedBatch(self.labeled.to(device), self.unlabeled and self.unlabeled.to(device))


@dataclass(frozen=True)
class MixedBatches:
    """Labeled batches, each with as many unlabeled samples once the warm-up is over.

    Attributes:
        labeled: Where the labeled halves come from.
        unlabeled: Where the unlabeled halves come from; None for no such halves.
        warmup: Steps without an unlabeled half.
    """

    labeled: BatchSource
    unlabeled: UnlabeledBatches | None
    warmup: int

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> MixedBatch:
        """Return the batch of a step, or one process's part of it, as `BatchSource` describes."""
        labeled = self.labeled.sample(step, rank=rank, world_size=world_size)
        if self.unlabeled is None or step < self.warmup:
            return MixedBatch(labeled, None)
        count = len(labeled.keypoints)
        stride = count + 1  # the sizes of labeled batches differ by one at most, so no sample comes twice
        first = ((step - self.warmup) * world_size + rank) * stride
        return MixedBatch(labeled, self.unlabeled.sample(first, count))
