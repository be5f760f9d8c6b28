"""How good a lifter is on motion it was not trained on.

Everything here works on `Sequence3D`: who does what, what the lifter is given, and what it should say.
`sequences` makes them from motion capture, seen through simulated cameras and detections, and
`recorded_sequences.py` from what studios recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import COCO17, H36M17, SKELETONS, Skeleton
from ..cameras.input_space import InputSpace
from ..inference.lifter import Lifter
from ..inference.predict import predict_poses
from ..network.temporal_model import TemporalModel
from . import metrics

METRICS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "limbs_mpjpe", "limbs_p_mpjpe")

Lift = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A sequence's rays or keypoints (T, J, 2) → poses (T, J_out, 3), metres, root at 0."""


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
    sided = skeleton.sided
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
