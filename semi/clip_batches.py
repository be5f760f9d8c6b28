"""Batches for adapting a lifter to clips: whole stretches of footage, and samples of distillation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ..lifting.cameras.input_space import mirrored
from ..lifting.cameras.intrinsics import H36M_FOCAL
from ..lifting.inference.lifter import Lifter
from ..lifting.inference.resampling import even_times, read_at
from ..lifting.network.temporal_model import TemporalModel
from ..lifting.training.batch import Batch, BatchSource, to_device
from ..skeleton import H36M17
from .footage import FootageSpan
from .losses import lengths
from .networks import Prediction, camera_rotation
from .spans import Span, footage_of

_HIDDEN_ROOT = (0.0, 0.0, 5.0)  # metres: placeholder of an unknown root; the frame's keypoints have no weight


@dataclass(frozen=True)
class Stretch:
    """Successive frames of one or several people that are lifted together.

    Attributes:
        window: (F, K, 2 or 3) input of the network. Each person's frames are padded, one after another.
        frames: (T,) the outputs of the network that belong to a frame; those between two people do not.
        rotation: (T, 3, 3) `Prediction.rotation`; None if the network predicts in camera space.
        target: (T, S, 2) keypoints of the compared joints: x / z and y / z.
        weight: (T, S) weight of each keypoint, 0–1.
        root: (T, 3) the roots that the starting lifter gives, metres, camera space.
        start: (T, 17, 3) the poses that the starting lifter gives, metres, camera space, root at 0.
        bones: (T, 16) mean bone lengths of the frame's person in the starting lifter's poses, metres.
        person: (T,) numbers that are equal for frames of the same person.
    """

    window: Tensor
    frames: Tensor
    rotation: Tensor | None
    target: Tensor
    weight: Tensor
    root: Tensor
    start: Tensor
    bones: Tensor
    person: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def to(self, device: str) -> Self:
        """Return the stretch on a device."""
        moved: dict[str, Any] = {
            each.name: None if (value := getattr(self, each.name)) is None else to_device(value, device)
            for each in fields(self)
        }
        return type(self)(**moved)

    def poses(self, model: TemporalModel, *, mirror: bool) -> Tensor:
        """Lift the stretch: return poses (T, 17, 3) in camera space, metres, root at 0.

        Args:
            model: The pose network.
            mirror: Whether the network reads the mirrored people; the poses are mirrored back.
        """
        window = mirrored(self.window, H36M17.mirror) if mirror else self.window
        pose = model(window[None])[0].float()[self.frames]
        pose = pose - pose[:, :1]
        if mirror:
            pose = mirrored(pose, H36M17.mirror)
        return Prediction(pose, torch.zeros_like(pose[:, :1]), self.rotation).in_camera_space()


@dataclass(frozen=True)
class ClipBatch:
    """A batch of an adaptation.

    Attributes:
        stretch: The footage.
        mirror: Whether the footage is mirrored.
        labeled: Samples of distillation.
    """

    stretch: Stretch
    mirror: bool
    labeled: Batch

    def to(self, device: str) -> ClipBatch:
        """Return the batch on a device, without waiting for the GPU."""
        return ClipBatch(self.stretch.to(device), self.mirror, self.labeled.to(device))


@dataclass(frozen=True)
class ClipBatches:
    """Batches of an adaptation in an endless sequence.

    Each pass contains every stretch once, in a new random order, every second time mirrored.

    Attributes:
        stretches: The footage.
        labeled: Source of the samples of distillation.
        seed: Seed of the random order.
    """

    stretches: Sequence[Stretch]
    labeled: BatchSource
    seed: int

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> ClipBatch:
        """Return the batch of a step. It depends on the seed and the step alone."""
        number, place = divmod(step, len(self.stretches))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        chosen = int(torch.randperm(len(self.stretches), generator=generator)[place])
        labeled = self.labeled.sample(step, rank=rank, world_size=world_size)
        return ClipBatch(self.stretches[chosen], bool((number + place) % 2), labeled)


def stretches_of(spans: Sequence[Span], lifter: Lifter, *, longest: int) -> list[Stretch]:
    """Cut the tracks of a user's videos into stretches, and put short tracks together into one.

    Args:
        spans: The tracks.
        lifter: The starting lifter. Its pose network gives `Stretch.start`.
        longest: Frames of a stretch at most, at the lifter's frame rate.
    """
    tracks = [_Track.of(span, footage, lifter) for span, footage in _with_footage(spans, lifter)]
    stretches: list[Stretch] = []
    waiting: list[_Track] = []
    for part in sorted((p for track in tracks for p in track.cut(longest)), key=len, reverse=True):
        if waiting and sum(map(len, waiting)) + len(part) > longest:
            stretches.append(_together(waiting))
            waiting = []
        waiting.append(part)
    return [*stretches, _together(waiting)] if waiting else stretches


def _with_footage(spans: Sequence[Span], lifter: Lifter) -> list[tuple[Span, FootageSpan]]:
    return list(zip(spans, footage_of(spans, lifter).spans, strict=True)) if spans else []


@dataclass(frozen=True)
class _Track:
    """One person's frames, with the frames that the network sees before and after."""

    window: Tensor
    rotation: Tensor | None
    target: Tensor
    weight: Tensor
    root: Tensor
    start: Tensor
    bones: Tensor
    person: Tensor

    def __len__(self) -> int:
        return len(self.target)

    @classmethod
    def of(cls, span: Span, footage: FootageSpan, lifter: Lifter) -> _Track:
        root = span.lifted(lifter)[1]
        grid = even_times(span.times, lifter.rate)
        if grid is not None:
            root = read_at(root, span.times, grid)
        known = np.isfinite(root).all(1, keepdims=True)
        keypoints = torch.from_numpy(footage.lifter_input)
        count, (before, after) = len(keypoints), lifter.model.padding
        window = keypoints[torch.arange(-before, count + after).clamp(0, count - 1)]
        rotation = camera_rotation(keypoints[None], lifter.input_space)
        track = cls(
            window,
            None if rotation is None else rotation[0],
            torch.from_numpy(footage.target) / H36M_FOCAL,
            torch.from_numpy(footage.weight * known),
            torch.from_numpy(np.where(known, root, _HIDDEN_ROOT).astype(np.float32)),
            torch.empty(count, 0),
            torch.empty(count, 0),
            torch.full((count,), footage.person),
        )
        model = lifter.model
        with torch.no_grad():
            seen = _together([track]).to(str(model.device))
            start = (seen.poses(model, mirror=False) + seen.poses(model, mirror=True)).cpu() / 2
        bones = lengths(start, H36M17.bones).mean(0).expand(count, -1)
        values = {each.name: getattr(track, each.name) for each in fields(cls)}
        return cls(**{**values, "start": start, "bones": bones})

    def cut(self, longest: int) -> list[_Track]:
        """Cut the track into parts of equal length, none longer than `longest`."""
        count = len(self)
        context = len(self.window) - count
        edges = torch.linspace(0, count, -(-count // longest) + 1).round().long().tolist()
        parts = []
        for first, end in pairwise(edges):
            cut: dict[str, Any] = {
                each.name: None if (value := getattr(self, each.name)) is None else value[first:end]
                for each in fields(self)
            }
            parts.append(_Track(**{**cut, "window": self.window[first : end + context]}))
        return parts


def _together(tracks: Sequence[_Track]) -> Stretch:
    """Put several parts of tracks into one stretch."""
    outputs, offset = [], 0
    for track in tracks:
        outputs.append(offset + torch.arange(len(track)))
        offset += len(track.window)
    names = [each.name for each in fields(_Track)]
    joined: dict[str, Any] = {
        name: torch.cat([getattr(track, name) for track in tracks])
        for name in names
        if getattr(tracks[0], name) is not None
    }
    return Stretch(frames=torch.cat(outputs), **{"rotation": None, **joined})
