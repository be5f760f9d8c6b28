"""Make batches of unlabeled footage, and of labeled data and footage together."""

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
        weight: (N, chunk, S) the weight of each of these keypoints, 0–1.
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

    A sample is a chunk of frames with the receptive field around each. Each pass contains every chunk once,
    in a new random order, and with `flip` also its mirror image. Beyond the ends of a span, its first and
    last frame are repeated.

    Args:
        footage: The spans.
        model: A network with the receptive field of the samples.
        chunk: Neighbouring frames that are predicted together.
        flip: Whether mirror images are used too.
        seed: Seed of the random order.
    """

    def __init__(
        self, footage: Footage, model: TemporalModel, *, chunk: int = 1, flip: bool = True, seed: int = 0
    ) -> None:
        spans = footage.spans
        self.footage, self.chunk, self.flip, self.seed = footage, chunk, flip, seed
        self.keypoints = torch.from_numpy(np.concatenate([span.lifter_input for span in spans]))
        self.target = torch.from_numpy(np.concatenate([span.target for span in spans]))
        self.weight = torch.from_numpy(np.concatenate([span.weight for span in spans]))
        self.camera = torch.stack([span.camera for span in spans]).float()
        self.person = torch.tensor([span.person for span in spans])

        lengths = torch.tensor([len(span) for span in spans])
        self.first = lengths.cumsum(0) - lengths
        self.last = self.first + lengths - 1
        # The chunks of a span are centred on it: if they are longer, they extend beyond both ends equally.
        counts = (lengths + chunk - 1) // chunk
        self.span = torch.arange(len(spans)).repeat_interleave(counts)
        number = torch.arange(len(self.span)) - (counts.cumsum(0) - counts)[self.span]
        self.start = (self.first - (counts * chunk - lengths) // 2)[self.span] + number * chunk

        before, after = model.padding
        self.window = torch.arange(-before, chunk + after)
        self._orders: dict[int, Tensor] = {}

    def __len__(self) -> int:
        """Samples of one pass."""
        return len(self.span) * (2 if self.flip else 1)

    def sample(self, first: int, count: int) -> UnlabeledBatch:
        """Return the samples `first` to `first + count` of the sequence.

        The result depends on the seed and on the arguments alone.
        """
        places = torch.arange(first, first + count)
        passes = places // len(self)
        numbers = range(first // len(self), (first + count - 1) // len(self) + 1)
        chosen = torch.cat([self._order(n)[places[passes == n] % len(self)] for n in numbers])
        mirrored, sample = chosen >= len(self.span), chosen % len(self.span)
        span, start = self.span[sample], self.start[sample, None]
        low, high = self.first[span, None], self.last[span, None]
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
            torch.where(mirrored[:, None], mirrored_camera(self.camera[span]), self.camera[span]),
            self.person[span],
        )

    def _order(self, number: int) -> Tensor:
        """Return the order of a pass. The orders of the latest two passes are kept."""
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
    """A batch of semi-supervised training: a labeled half, and an unlabeled half unless it is None."""

    labeled: Batch
    unlabeled: UnlabeledBatch | None

    @property
    def keypoints(self) -> Tensor:
        """The keypoints of both halves, the labeled half first."""
        if self.unlabeled is None:
            return self.labeled.keypoints
        return torch.cat([self.labeled.keypoints, self.unlabeled.keypoints])

    def to(self, device: str) -> MixedBatch:
        """Return the batch on a device, without waiting for the GPU."""
        return MixedBatch(self.labeled.to(device), self.unlabeled and self.unlabeled.to(device))


@dataclass(frozen=True)
class MixedBatches:
    """Labeled batches, to which equally many unlabeled samples are added after the warm-up.

    Attributes:
        labeled: Source of the labeled halves.
        unlabeled: Source of the unlabeled halves; None for labeled batches only.
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
        stride = count + 1  # sizes of labeled batches differ by at most one, so no sample is used twice
        first = ((step - self.warmup) * world_size + rank) * stride
        return MixedBatch(labeled, self.unlabeled.sample(first, count))
