"""Batches of unlabelled footage, for the second half of a training step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ..lifting.network.temporal_model import TemporalModel
from .footage import Footage, mirrored_camera


@dataclass(frozen=True)
class UnlabelledBatch:
    """What the second half of a training step reads.

    keypoints: (N, receptive field − 1 + chunk, K, 2). target: (N, chunk, S, 2), and weight: (N, chunk, S), as
    of `footage.Clip`. camera: (N, 14). person: (N,).
    """

    keypoints: Tensor
    target: Tensor
    weight: Tensor
    camera: Tensor
    person: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> UnlabelledBatch:
        """The batch with something done to each of its tensors."""
        return UnlabelledBatch(**{each.name: function(getattr(self, each.name)) for each in fields(self)})


class UnlabelledBatches:
    """Chunks of footage, endless: every pass visits each one once, and its mirror image where `flip`, in a
    new order. What is drawn depends on the seed and the place in the sequence alone.

    Clips go on beyond their ends as their first and last frame, as in `lifting.recorded_batches`.
    """

    def __init__(
        self, footage: Footage, model: TemporalModel, *, chunk: int = 1, flip: bool = True, seed: int = 0
    ) -> None:
        clips = footage.clips
        self.footage, self.chunk, self.flip, self.seed = footage, chunk, flip, seed
        self.keypoints = torch.from_numpy(np.concatenate([clip.seen for clip in clips]))
        self.target = torch.from_numpy(np.concatenate([clip.target for clip in clips]))
        self.weight = torch.from_numpy(np.concatenate([clip.weight for clip in clips]))
        self.camera = torch.stack([clip.camera for clip in clips]).float()
        self.person = torch.tensor([clip.person for clip in clips])

        lengths = torch.tensor([len(clip) for clip in clips])
        self.first = lengths.cumsum(0) - lengths
        self.last = self.first + lengths - 1
        # Chunks of a clip are centred on it: what the last one lacks is shared by both ends.
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

    def draw(self, at: int, count: int) -> UnlabelledBatch:
        """Samples `at` to `at + count` of the endless sequence."""
        places = torch.arange(at, at + count)
        passes = places // len(self)
        numbers = range(at // len(self), (at + count - 1) // len(self) + 1)
        chosen = torch.cat([self._order(n)[places[passes == n] % len(self)] for n in numbers])
        mirrored, sample = chosen >= len(self.clip), chosen % len(self.clip)
        clip, start = self.clip[sample], self.start[sample, None]
        low, high = self.first[clip, None], self.last[clip, None]
        seen = (start + self.window).clamp(low, high)
        target = (start + torch.arange(self.chunk)).clamp(low, high)
        there = mirrored[:, None, None, None]
        return UnlabelledBatch(
            torch.where(there, *_both(self.keypoints[seen], self.footage.mirror_seen)),
            torch.where(there, *_both(self.target[target], self.footage.mirror_target)),
            torch.where(
                mirrored[:, None, None],
                self.weight[target][..., list(self.footage.mirror_target)],
                self.weight[target],
            ),
            torch.where(mirrored[:, None], mirrored_camera(self.camera[clip]), self.camera[clip]),
            self.person[clip],
        )

    def _order(self, number: int) -> Tensor:
        if number not in self._orders:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
            self._orders = {
                **{k: v for k, v in self._orders.items() if k == number - 1},
                number: torch.randperm(len(self), generator=generator),
            }
        return self._orders[number]


def _both(points: Tensor, mirror: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Points (N, T, J, 2) in a mirror, and as they are."""
    return points[:, :, list(mirror)] * torch.tensor([-1.0, 1.0]), points
