"""Measure a lifter on situations that the usual test data hardly contain.

These are poses unlike those of the training, recombined people, near cameras, and hidden limbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import H36M17
from ..datasets.motion_capture import MotionCapture
from ..inference.lifter import Lifter
from ..inference.resampling import at_rate
from .far_poses import far_frames
from .hidden_limbs import HIDDEN, joints_left
from .scores import METRICS, Lift, Scores, Sequence3D, pool, score
from .windows import WindowErrors, Windows, lift_windows, make_windows, score_windows

_SITUATIONS: dict[str, dict[str, dict[str, Any]]] = {
    "recombined motion": {"recombination": {"share": 1.0}},
    "cameras at 0.5–1.2 m, cut off by the picture": {"cameras": {"near": 1.0, "near_distance": (0.5, 1.2)}},
}


@dataclass(frozen=True)
class Yardstick:
    """One line of the report; errors in millimetres.

    Attributes:
        name: What was measured.
        mpjpe: MPJPE over all joints.
        p_mpjpe: The same after rigid alignment with scale.
        visible: MPJPE of the visible joints, after their mean is moved to the true one; None if every joint
            is visible.
        relative: `visible`, divided by the error of the same joints when no joint is hidden. None unless
            limbs were hidden on purpose.
        count: Number of frames or windows.
    """

    name: str
    mpjpe: float
    p_mpjpe: float
    visible: float | None
    relative: float | None
    count: int


def check_lifter(lifter: Lifter) -> None:
    """Raise `UsageError` unless the yardsticks can measure the lifter."""
    if lifter.skeleton is not H36M17 or lifter.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"--yardsticks takes a lifter that reads h36m17 keypoints and gives 17 joints; this one reads "
            f"{lifter.layout} and gives {lifter.model.num_joints_out}"
        )


def measure_windows(
    table: MotionCapture, lifter: Lifter, *, severity: float | None, flip: bool = True, count: int = 2048
) -> Iterator[Yardstick]:
    """Measure recombined people, near cameras and hidden limbs.

    Args:
        table: People that the lifter was not trained on.
        lifter: See `check_lifter`.
        severity: Factor on all errors of the simulated detector; None for true keypoints.
        flip: Average with the prediction for the mirrored window.
        count: Windows of each situation.
    """

    windows = make_windows(table, lifter, severity=severity, count=count)
    whole = lift_windows(lifter, windows, flip=flip)
    yield _line("windows, everything visible", score_windows(whole, windows), windows)
    for name in HIDDEN:
        left = joints_left(name)
        hidden = windows.hiding(left)
        errors = score_windows(lift_windows(lifter, hidden, flip=flip), hidden)
        same_joints = score_windows(whole, windows, left=left).visible
        yield _line(f"{name} hidden", errors, hidden, relative=errors.visible / same_joints)
    for name, changes in _SITUATIONS.items():
        windows = make_windows(table, lifter, severity=severity, count=count, changes=changes)
        yield _line(name, score_windows(lift_windows(lifter, windows, flip=flip), windows), windows)


def measure_far(
    table: MotionCapture,
    training: Sequence[MotionCapture],
    sequences: Sequence[Sequence3D],
    lift: Lift,
    *,
    rate: float,
    done: Callable[[], None] = lambda: None,
) -> Yardstick:
    """Measure the tenth of the frames whose pose is farthest from any training pose.

    Args:
        table: People that the lifter was not trained on.
        training: The motion that it was trained on.
        sequences: Each clip of the table as one or more cameras see it, in the table's order.
        lift: The lifter as a function.
        rate: Frames per second of the sequences.
        done: Called after each sequence.
    """
    far = [_resampled(frames, table.rate, rate) for frames in far_frames(table, training)]
    cameras = len(sequences) // len(far)
    parts = []
    for index, sequence in enumerate(sequences):
        scores = score(lift, sequence)
        chosen = far[index // cameras][: len(sequence.pose)]
        errors = {name: scores.errors[name][chosen[: len(scores.errors[name])]] for name in METRICS}
        parts.append(Scores(sequence.subject, sequence.action, errors))
        done()
    pooled = pool(parts)
    return Yardstick("far tenth of the frames", pooled.mpjpe, pooled.p_mpjpe, None, None, pooled.frames)


def _line(name: str, errors: WindowErrors, windows: Windows, *, relative: float | None = None) -> Yardstick:
    visible = None if bool(windows.visible[:, windows.target].all()) else errors.visible
    return Yardstick(name, errors.mpjpe, errors.p_mpjpe, visible, relative, errors.count)


def _resampled(flags: NDArray[np.bool_], source: float, rate: float) -> NDArray[np.bool_]:
    """Resample flags of frames to another frame rate; each takes the flag of the nearest frame."""
    return np.asarray(at_rate(flags[:, None, None].astype(np.float32), source, rate)[:, 0, 0] >= 0.5)
