"""How good a lifter is on motion it was not trained on, seen through simulated cameras and detections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from . import metrics
from .bodies import COCO_POINTS
from .camera import H36M_FOCAL
from .config import CameraConfig, DetectionConfig
from .detections import simulate
from .inference import RaySpace, predict_from_rays
from .mocap import MotionCapture, coco_face
from .model import TemporalModel
from .skeleton import COCO_TO_H36M, H36M17
from .virtual_camera import random_cameras

LIMBS = tuple(i for i, name in enumerate(H36M17.names) if name[0] in "lr")
"""Limbs and hips, the joints that every layout places alike."""


@dataclass(frozen=True)
class Sequence3D:
    """One clip as one camera's detector sees it.

    rays: (T, 17, 2) as of `camera.to_rays`, Human3.6M layout. pose: (T, 17, 3) camera space, metres, root at
    0.
    """

    subject: str
    action: str
    rays: NDArray[np.float32]
    pose: NDArray[np.float32]


@dataclass(frozen=True)
class Errors:
    """Means over all frames, millimetres (MPJVE: millimetres a frame); `limbs` are MPJPE and P-MPJPE of limbs
    and hips alone. frames: how many were measured."""

    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    limbs_mpjpe: float
    limbs_p_mpjpe: float
    frames: int


def sequences(
    table: MotionCapture,
    *,
    rate: float,
    cameras: CameraConfig,
    detections: DetectionConfig,
    per_clip: int = 3,
    seed: int = 1,
) -> Iterator[Sequence3D]:
    """Every clip of the table through `per_clip` random cameras and a simulated detector, the same each time
    for the same seed. Bodies are left as they are; each camera stands far enough for the whole clip."""
    generator = torch.Generator().manual_seed(seed)
    for index in range(len(table)):
        clip = table.clip(index)
        points = _at_rate(np.concatenate([clip, coco_face(clip)], 1), table.rate, rate)
        points[..., 2] -= np.percentile(points[..., 2].min(1), 2) - 0.07
        world = torch.from_numpy(points)
        middle = world[:, 0].mean(0)
        for _ in range(per_clip):
            rotation, position = (v[0] for v in random_cameras(middle[None], cameras, generator))
            seen = (world - position) @ rotation.T
            while float(seen[..., 2].min()) < 0.8 * cameras.distance[0]:
                position = middle + 1.2 * (position - middle)
                seen = (world - position) @ rotation.T
            coco = seen[:, list(COCO_POINTS)]
            rays = simulate(
                (coco[..., :2] / coco[..., 2:]).transpose(1, 2)[None],
                coco[None, ..., 2],
                1 / seen[:, 0, 2].mean()[None],
                detections,
                generator,
            )[0]
            joints = (rays * H36M_FOCAL) @ torch.from_numpy(COCO_TO_H36M.copy()).T
            pose = seen[:, :17] - seen[:, :1]
            yield Sequence3D(
                table.subjects[index],
                table.actions[index],
                joints.transpose(1, 2).contiguous().numpy(),
                pose.numpy(),
            )


def measure(
    model: TemporalModel, seen: Sequence[Sequence3D], space: RaySpace, *, flip: bool = True
) -> Errors:
    """The model's errors over all frames of the sequences; `space` is what the model reads.

    Raises `ValueError` for no sequences.
    """
    if not seen:
        raise ValueError("nothing to measure on")
    columns: list[list[NDArray[np.float64]]] = [[] for _ in range(6)]
    for sequence in seen:
        out = predict_from_rays(model, sequence.rays, space, flip=H36M17 if flip else None)
        limbs, true_limbs = out[:, LIMBS], sequence.pose[:, LIMBS]
        for column, value in zip(
            columns,
            (
                metrics.mpjpe(out, sequence.pose),
                metrics.p_mpjpe(out, sequence.pose),
                metrics.n_mpjpe(out, sequence.pose),
                metrics.mpjve(out, sequence.pose),
                metrics.mpjpe(limbs, true_limbs),
                metrics.p_mpjpe(limbs, true_limbs),
            ),
            strict=True,
        ):
            column.append(value)
    mean = [round(1000 * float(np.concatenate(column).mean()), 2) for column in columns]
    frames = sum(len(s.pose) for s in seen)
    return Errors(mean[0], mean[1], mean[2], mean[3], mean[4], mean[5], frames)


def _at_rate(points: NDArray[np.float32], source: float, rate: float) -> NDArray[np.float32]:
    """(T, J, 3) at another frame rate, by linear interpolation."""
    count = int((len(points) - 1) / source * rate + 1e-6) + 1
    at = np.arange(count) * source / rate
    low = np.minimum(at.astype(np.int64), len(points) - 2) if len(points) > 1 else np.zeros(count, np.int64)
    high = np.minimum(low + 1, len(points) - 1)
    share = (at - low).astype(np.float32)[:, None, None]
    out: NDArray[np.float32] = points[low] * (1 - share) + points[high] * share
    return out
