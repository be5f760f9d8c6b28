"""How good a lifter is on motion it was not trained on.

Everything here works on `Sequence3D`: who does what, what the lifter is given, and what it should say.
`sequences` makes them from motion capture, seen through simulated cameras and detections, and
`recorded_sequences.py` from what studios recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import COCO17, COCO_TO_H36M, H36M17, SKELETONS, Skeleton
from ..cameras.intrinsics import H36M_FOCAL
from ..datasets.motion_capture import MotionCapture, coco_face
from ..inference.lifter import InputSpace, Lifter
from ..inference.offline import predict_poses
from ..network.temporal_model import TemporalModel
from ..simulation.clip_detections import simulate_clip
from ..simulation.motion_bank import COCO_POINTS
from ..simulation.random_cameras import random_cameras
from ..training.config import CameraConfig, DetectionConfig
from . import metrics

METRICS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "limbs_mpjpe", "limbs_p_mpjpe")

Lift = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A sequence's rays or keypoints (T, J, 2) → poses (T, J_out, 3), metres, root at 0."""


def limbs(skeleton: Skeleton) -> tuple[int, ...]:
    """Limbs and hips, the joints that have a side, which every layout places alike."""
    return tuple(sorted((*skeleton.left, *skeleton.right)))


LIMBS = limbs(H36M17)
"""Human3.6M's limbs and hips."""


@dataclass(frozen=True)
class Sequence3D:
    """One clip as one camera's detector sees it.

    rays: (T, J, 2), what the lifter reads: as of `camera.to_rays` or `camera.to_screen`, in its layout. pose:
    (T, J_out, 3) camera space, metres, root at 0.
    """

    subject: str
    action: str
    rays: NDArray[np.float32]
    pose: NDArray[np.float32]


@dataclass(frozen=True)
class Errors:
    """Means, millimetres (MPJVE: millimetres a frame); `limbs` are MPJPE and P-MPJPE of limbs and hips alone.
    frames: how many were measured. MPJVE is NaN where every clip has a single frame."""

    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    limbs_mpjpe: float
    limbs_p_mpjpe: float
    frames: int


@dataclass(frozen=True)
class Scores:
    """The errors of one sequence frame by frame, by name (`METRICS`): (T,) millimetres; MPJVE (T − 1,)."""

    subject: str
    action: str
    errors: Mapping[str, NDArray[np.float64]]


def sequences(
    table: MotionCapture,
    *,
    rate: float,
    cameras: CameraConfig,
    detections: DetectionConfig,
    per_clip: int = 3,
    seed: int = 1,
    layout: str = "h36m17",
    window: float = 3.0,
) -> Iterator[Sequence3D]:
    """Every clip of the table through `per_clip` random cameras and a simulated detector, the same each time
    for the same seed. Bodies are left as they are; each camera stands far enough for the whole clip.

    layout: of the keypoints given out, h36m17 or coco17. window: seconds between changes of the detector's
    mood (see `clip_detections`).
    """
    generator = torch.Generator().manual_seed(seed)
    for index in range(len(table)):
        clip = table.clip(index)
        points = at_rate(np.concatenate([clip, coco_face(clip)], 1), table.rate, rate)
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
            joints = H36M_FOCAL * simulate_clip(
                (coco[..., :2] / coco[..., 2:]).transpose(1, 2),
                coco[..., 2],
                seen[:, 0, 2],
                detections,
                generator,
                window=max(2, round(window * rate)),
            )
            if layout != COCO17.name:
                joints = joints @ torch.from_numpy(COCO_TO_H36M.copy()).T
            pose = seen[:, :17] - seen[:, :1]
            yield Sequence3D(
                table.subjects[index],
                table.actions[index],
                joints.transpose(1, 2).contiguous().numpy(),
                pose.numpy(),
            )


def lift_with(lifter: Lifter, *, flip: bool) -> Lift:
    """The lifter as a function of rays in its layout, with or without flip augmentation.

    One that reads normalised screen coordinates is given the same numbers: on the screen of Human3.6M's
    camera, rays and screen coordinates agree. Raises `UsageError` for a lifter whose poses are not
    Human3.6M's 17 joints.
    """
    skeleton = SKELETONS[lifter.layout]
    if skeleton not in (H36M17, COCO17) or lifter.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"this lifter reads {skeleton.name} and gives {lifter.model.num_joints_out} joints; "
            "motion-capture tables have Human3.6M's 17"
        )
    mirror = skeleton if flip else None
    return lambda rays: predict_poses(lifter.model, rays, lifter.input_space, flip=mirror)


def score(lift: Lift, sequence: Sequence3D, *, skeleton: Skeleton = H36M17) -> Scores:
    """Lift one sequence and measure every frame; `skeleton` is the poses' layout.

    Raises `ValueError` where lifted and true poses differ in shape.
    """
    lifted, true = lift(sequence.rays), sequence.pose
    sided = limbs(skeleton)
    errors = {
        "mpjpe": metrics.mpjpe(lifted, true),
        "p_mpjpe": metrics.p_mpjpe(lifted, true),
        "n_mpjpe": metrics.n_mpjpe(lifted, true),
        "mpjve": metrics.mpjve(lifted, true),
        "limbs_mpjpe": metrics.mpjpe(lifted[:, sided], true[:, sided]),
        "limbs_p_mpjpe": metrics.p_mpjpe(lifted[:, sided], true[:, sided]),
    }
    return Scores(sequence.subject, sequence.action, {name: 1000 * errors[name] for name in METRICS})


def pool(scores: Sequence[Scores]) -> Errors:
    """Means in which every frame counts alike. Raises `ValueError` for no scores."""
    if not scores:
        raise ValueError("nothing to measure on")
    values = {name: np.concatenate([s.errors[name] for s in scores]) for name in METRICS}
    means = {name: float(v.mean()) if len(v) else float("nan") for name, v in values.items()}
    return Errors(**means, frames=len(values["mpjpe"]))


def measure(
    model: TemporalModel, seen: Sequence[Sequence3D], space: InputSpace, *, flip: bool = True
) -> Errors:
    """The model's errors over all frames of the sequences, to a hundredth; `space` is what the model reads.

    Raises `ValueError` for no sequences.
    """

    def lift(rays: NDArray[np.float32]) -> NDArray[np.float32]:
        return predict_poses(model, rays, space, flip=H36M17 if flip else None)

    errors = pool([score(lift, sequence) for sequence in seen])
    return Errors(**{name: round(getattr(errors, name), 2) for name in METRICS}, frames=errors.frames)


def at_rate(points: NDArray[np.float32], source: float, rate: float) -> NDArray[np.float32]:
    """(T, J, C) at another frame rate, by linear interpolation."""
    if source == rate:
        return points
    count = int((len(points) - 1) / source * rate + 1e-6) + 1
    at = np.arange(count) * source / rate
    low = np.minimum(at.astype(np.int64), len(points) - 2) if len(points) > 1 else np.zeros(count, np.int64)
    high = np.minimum(low + 1, len(points) - 1)
    share = (at - low).astype(np.float32)[:, None, None]
    out: NDArray[np.float32] = points[low] * (1 - share) + points[high] * share
    return out
