"""Measure a lifter's errors on sequences with known poses.

A `Sequence3D` holds a lifter's input and the true poses. `motion_capture_sequences` makes such sequences of
motion capture with simulated cameras and detections, `recorded_sequences` of recordings with calibrated
cameras.
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

Metric = Callable[[metrics.Poses, metrics.Poses, Skeleton], NDArray[np.float64]]
"""A function from lifted poses, true poses and their skeleton to errors in metres."""

METRICS: dict[str, Metric] = {
    "mpjpe": lambda lifted, true, _: metrics.mpjpe(lifted, true),
    "p_mpjpe": lambda lifted, true, _: metrics.p_mpjpe(lifted, true),
    "n_mpjpe": lambda lifted, true, _: metrics.n_mpjpe(lifted, true),
    "mpjve": lambda lifted, true, _: metrics.mpjve(lifted, true),
    "limbs_mpjpe": lambda lifted, true, s: metrics.mpjpe(lifted[:, s.sided], true[:, s.sided]),
    "limbs_p_mpjpe": lambda lifted, true, s: metrics.p_mpjpe(lifted[:, s.sided], true[:, s.sided]),
}
"""Every metric by name. `Errors` has a field of each name."""

Lift = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A function from a sequence's lifter input (T, J, 2) to poses (T, J_out, 3), metres, root at 0."""


@dataclass(frozen=True)
class Sequence3D:
    """One clip as seen by one camera and its detector.

    Attributes:
        subject: Name of the person.
        action: Name of the action.
        lifter_input: (T, J, 2), keypoints in the lifter's layout, as `to_rays` or `to_screen` gives them.
        pose: (T, J_out, 3), the true poses in camera space, metres, root at 0.
    """

    subject: str
    action: str
    lifter_input: NDArray[np.float32]
    pose: NDArray[np.float32]


@dataclass(frozen=True)
class Errors:
    """Mean errors in millimetres.

    Attributes:
        mpjpe: Mean per-joint position error, Protocol 1.
        p_mpjpe: The same after rigid alignment with scale, Protocol 2.
        n_mpjpe: The same after scaling, Protocol 3.
        mpjve: Mean per-joint velocity error, millimetres per frame; NaN if every clip has a single frame.
        limbs_mpjpe: MPJPE of the joints of limbs and hips alone.
        limbs_p_mpjpe: P-MPJPE of the joints of limbs and hips alone.
        frames: Number of frames that were measured.
    """

    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    limbs_mpjpe: float
    limbs_p_mpjpe: float
    frames: int


@dataclass(frozen=True)
class Scores:
    """The errors of every frame of one sequence.

    Attributes:
        subject: Name of the person.
        action: Name of the action.
        errors: By name (`METRICS`): (T,) millimetres; MPJVE (T − 1,).
    """

    subject: str
    action: str
    errors: Mapping[str, NDArray[np.float64]]


def lift_with(lifter: Lifter, *, flip: bool) -> Lift:
    """Return the lifter as a function of rays in its layout.

    A lifter that reads normalised screen coordinates gets the same numbers: for Human3.6M's camera, rays and
    screen coordinates agree.

    Args:
        lifter: The lifter.
        flip: Average with the prediction for the mirrored sequence.

    Raises:
        UsageError: The lifter's poses are not Human3.6M's 17 joints.
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
    """Lift one sequence and measure every frame.

    Args:
        lift: The lifter as a function.
        sequence: What it lifts, and the true poses.
        skeleton: Skeleton of the poses.

    Raises:
        ValueError: Lifted and true poses differ in shape.
    """
    lifted, true = lift(sequence.lifter_input), sequence.pose
    errors = {name: 1000 * metric(lifted, true, skeleton) for name, metric in METRICS.items()}
    return Scores(sequence.subject, sequence.action, errors)


def pool(scores: Sequence[Scores]) -> Errors:
    """Return the means over all frames of all sequences.

    Raises:
        ValueError: There are no scores.
    """
    if not scores:
        raise ValueError("nothing to measure on")
    values = {name: np.concatenate([s.errors[name] for s in scores]) for name in METRICS}
    means = {name: float(v.mean()) if len(v) else float("nan") for name, v in values.items()}
    return Errors(**means, frames=len(values["mpjpe"]))


def measure(
    model: TemporalModel, sequences: Sequence[Sequence3D], space: InputSpace, *, flip: bool = True
) -> Errors:
    """Return a model's errors over all frames of the sequences, rounded to a hundredth.

    Args:
        model: A model that reads Human3.6M's layout.
        sequences: What it lifts, and the true poses.
        space: The model's input space.
        flip: Average with the prediction for the mirrored sequence.

    Raises:
        ValueError: There are no sequences.
    """

    def lift(lifter_input: NDArray[np.float32]) -> NDArray[np.float32]:
        return predict_poses(model, lifter_input, space, flip=H36M17 if flip else None)

    errors = pool([score(lift, sequence) for sequence in sequences])
    return Errors(**{name: round(getattr(errors, name), 2) for name in METRICS}, frames=errors.frames)
