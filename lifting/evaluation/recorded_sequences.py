"""Make sequences to measure a lifter on, of recordings with calibrated cameras.

The recordings are converted to the lifter's layout, input space and frame rate. `recorded_sequences` and
`lift_recorded` correspond to `motion_capture_sequences` and `lift_with` for motion capture.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...skeleton import COCO17, H36M17, Skeleton, convert
from ..datasets.recordings import RecordingSet, to_input_space
from ..inference.lifter import Lifter
from ..inference.predict import predict, predict_poses
from ..inference.resampling import RATE_TOLERANCE, at_rate
from .scores import Lift, Sequence3D


def recorded_sequences(data: RecordingSet, lifter: Lifter) -> Iterator[Sequence3D]:
    """Yield every recording as the lifter reads it, named by person and activity.

    Keypoints in COCO's layout are converted if the lifter reads Human3.6M's.

    Raises:
        UsageError: See `check_layout`.
        InputError: Frames have no keypoints.
    """
    given, rate = check_layout(data, lifter), rate_read(lifter, data.rate)
    for recording in data.recordings:
        found = np.isfinite(recording.keypoints).all((1, 2))
        if not found.all():
            raise InputError(
                f"{recording.subject} {recording.action!r}, camera {recording.camera.name}: "
                f"{int((~found).sum())} frames without keypoints; interpolate them in the file of detections"
            )
        joints = convert(recording.keypoints, given, lifter.skeleton)
        yield Sequence3D(
            recording.subject,
            recording.activity,
            at_rate(to_input_space(joints, recording.camera, lifter.input_space), data.rate, rate),
            at_rate(recording.pose, data.rate, rate),
        )


def check_layout(data: RecordingSet, lifter: Lifter) -> Skeleton:
    """Return the skeleton of the data's keypoints, if the lifter can read them.

    Raises:
        UsageError: The keypoints cannot be converted to the lifter's layout, or the lifter reads rays and the
            lens of a camera is not known.
    """
    given, wanted = data.keypoint_skeleton, lifter.skeleton
    convertible = (given, wanted) == (COCO17, H36M17) and lifter.model.num_joints_out == len(H36M17)
    if given is not wanted and not convertible:
        raise UsageError(
            f"this lifter reads {wanted.name} keypoints and the file's are {given.name}: choose others by "
            "--keypoints or, for a VideoPose3D checkpoint (.bin), give its layout by --lifter-layout"
        )
    if lifter.input_space != "screen" and any(r.camera.lens is None for r in data.recordings):
        raise UsageError(
            "this lifter reads rays, for which the lens must be known, and the dataset's files do not "
            "describe the lenses; choose a lifter that reads screen coordinates"
        )
    return given


def rate_read(lifter: Lifter, rate: float) -> float:
    """Return the frames per second at which the lifter reads data: `rate`, or its own if far from that."""
    low, high = RATE_TOLERANCE
    return rate if lifter.rate is None or low <= rate / lifter.rate <= high else lifter.rate


def lift_recorded(lifter: Lifter, *, flip: bool, skeleton: Skeleton) -> Lift:
    """Return the lifter as a function of the lifter input of `recorded_sequences`.

    The root is measured like any other joint, as in the published tables (that of a centred lifter is 0 by
    construction). A lifter that was trained with zeros beyond a clip's ends gets zeros there.

    Args:
        lifter: The lifter.
        flip: Average with the prediction for the mirrored sequence.
        skeleton: Skeleton of the true poses.

    Raises:
        UsageError: The lifter's poses are not of this skeleton.
    """
    model, space = lifter.model, lifter.input_space
    if model.num_joints_out != len(skeleton):
        raise UsageError(
            f"this lifter gives {model.num_joints_out} joints, and the true poses have {skeleton.name}'s "
            f"{len(skeleton)}"
        )
    mirror = lifter.skeleton if flip else None
    recordings = (lifter.about.get("config") or {}).get("recordings") or {}
    before, after = model.padding if recordings.get("padding") == "zero" else (0, 0)

    def lift(lifter_input: NDArray[np.float32]) -> NDArray[np.float32]:
        if space in ("centred", "centred-visible"):
            return predict_poses(model, lifter_input, space, flip=mirror)
        padded = np.pad(lifter_input, ((before, after), (0, 0), (0, 0)))
        frames = slice(before, before + len(lifter_input))
        return predict(model, padded, flip=mirror, flip_out=skeleton)[frames]

    return lift
