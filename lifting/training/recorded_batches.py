"""Training batches from recordings of calibrated cameras."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import UsageError
from ..cameras.input_space import mirrored
from ..datasets.recordings import RecordingSet, read_keypoints
from .batch import Batch
from .config import RecordedConfig


class RecordedBatches:
    """A `BatchSource` of recordings, sampled as in the paper (§5).

    A sample is a chunk of frames with the receptive field around each. Every epoch visits every chunk once,
    in a new order, and with `config.recordings.flip` its mirror image too.

    All frames of all clips lie end to end in tensors on `device`, followed by the mirrored ones. A batch is
    gathered from them. Indices beyond a clip are clamped to it, which repeats its first and last frame.

    Args:
        data: The recordings.
        config: Schedule, seed, model shape and input space.
        device: Where the tensors lie.

    Raises:
        InputError: A keypoint is not finite.
        UsageError: The input space is rays and a camera's lens is not known.
    """

    def __init__(self, data: RecordingSet, config: RecordedConfig, *, device: str = "cpu") -> None:
        schedule, flip = config.schedule, config.recordings.flip
        self.num_joints_in, self.num_joints_out = len(data.keypoint_skeleton), len(data.skeleton)
        self.seed = config.seed
        self.zeros = config.recordings.padding == "zero"

        def flat(arrays: list[NDArray[np.float32]], mirror: tuple[int, ...]) -> Tensor:
            plain = torch.from_numpy(np.concatenate(arrays)).to(device)
            return torch.cat([plain, mirrored(plain, mirror)]) if flip else plain

        recordings = data.recordings
        self.keypoints = flat(
            [read_keypoints(r, config.input_space) for r in recordings], data.keypoint_skeleton.mirror
        )
        self.pose = flat([r.pose for r in recordings], data.skeleton.mirror)
        self.root = flat([r.root[:, None] for r in recordings], (0,))

        # The chunks of a clip are centred on it: if they are longer, they reach beyond both ends alike.
        lengths = np.tile([len(r) for r in recordings], 2 if flip else 1)
        starts = np.cumsum(lengths) - lengths
        counts = -(-lengths // schedule.chunk)
        clip = np.repeat(np.arange(len(lengths)), counts)
        number = np.arange(len(clip)) - np.repeat(np.cumsum(counts) - counts, counts)
        offset = (counts * schedule.chunk - lengths) // 2
        # (samples, 3): the chunk's first frame, which may lie before the clip, the clip's first and its last.
        frames = [
            (starts - offset)[clip] + number * schedule.chunk,
            starts[clip],
            (starts + lengths - 1)[clip],
        ]
        self.samples = torch.from_numpy(np.stack(frames, 1))

        reach = math.prod(config.model.filter_widths) - 1
        before = reach if config.model.causal else reach // 2
        self.window = torch.arange(-before, schedule.chunk + reach - before, device=device)
        self.chunk = torch.arange(schedule.chunk, device=device)
        self.steps_per_epoch = -(-len(self.samples) // (schedule.batch // schedule.chunk))
        self.num_steps = self.steps_per_epoch * schedule.epochs
        self._order = (-1, torch.empty(0, dtype=torch.int64))

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, or one process's part of it, as `BatchSource` describes.

        Raises:
            UsageError: The part is less than two samples, of which batch normalisation has no statistics.
        """
        epoch, number = divmod(step, self.steps_per_epoch)
        # The samples are divided evenly: batch normalisation would suffer from a small last batch.
        start, stop = (len(self.samples) * i // self.steps_per_epoch for i in (number, number + 1))
        start, stop = (start + (stop - start) * i // world_size for i in (rank, rank + 1))
        if stop - start < 2:
            raise UsageError("a step needs two samples at least in every process, for batch normalisation")
        samples = self.samples[self._permutation(epoch)[start:stop]].to(self.window.device)
        first, low, high = samples.T.unsqueeze(2)
        wanted = first + self.window
        inside = wanted.clamp(low, high)
        keypoints = _gather(self.keypoints, inside)
        if self.zeros:
            keypoints *= (wanted == inside)[..., None, None]
        target = (first + self.chunk).clamp(low, high)
        return Batch(keypoints, _gather(self.pose, target), _gather(self.root, target)[:, :, 0])

    def _permutation(self, epoch: int) -> Tensor:
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._order = (epoch, torch.randperm(len(self.samples), generator=generator))
        return self._order[1]


def _gather(frames: Tensor, at: Tensor) -> Tensor:
    return frames.index_select(0, at.flatten()).view(*at.shape, *frames.shape[1:])
