"""Studio recordings to measure a lifter on, read as it reads them: its layout, input space and frame rate.

What `evaluation.sequences` and `evaluation.lift_with` are to motion capture, `recorded_sequences` and
`lift_recorded` are to a `RecordingSet`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...skeleton import COCO17, H36M17, SKELETONS, Skeleton, convert
from ..datasets.recordings import RecordingSet, as_read
from ..inference.lifter import Lifter
from ..inference.predict import predict, predict_poses
from ..inference.resampling import RATE_TOLERANCE, at_rate
from .scores import Lift, Sequence3D


def recorded_sequences(data: RecordingSet, lifter: Lifter) -> Iterator[Sequence3D]:
    """Every recording as the lifter reads it, named by person and activity.

    Keypoints in COCO's layout are converted for a lifter that reads Human3.6M's.
    Raises `UsageError` as `layout_given` does, and `InputError` for keypoints that are missing.
    """
    given, rate = layout_given(data, lifter), rate_read(lifter, data.rate)
    for recording in data.recordings:
        found = np.isfinite(recording.keypoints).all((1, 2))
        if not found.all():
            raise InputError(
                f"{recording.subject} {recording.action!r}, camera {recording.camera.name}: "
                f"{int((~found).sum())} frames without keypoints; interpolate them in the file of detections"
            )
        joints = convert(recording.keypoints, given, SKELETONS[lifter.layout])
        yield Sequence3D(
            recording.subject,
            recording.activity,
            at_rate(as_read(joints, recording.camera, lifter.input_space), data.rate, rate),
            at_rate(recording.pose, data.rate, rate),
        )


def layout_given(data: RecordingSet, lifter: Lifter) -> Skeleton:
    """The skeleton of the data's keypoints. Raises `UsageError` where the lifter reads another that they
    cannot be converted to, or rays of a camera whose lens is not known."""
    given, wanted = data.keypoint_skeleton, SKELETONS[lifter.layout]
    convertible = (given, wanted) == (COCO17, H36M17) and lifter.model.num_joints_out == len(H36M17)
    if given is not wanted and not convertible:
        raise UsageError(
            f"this lifter reads {wanted.name} keypoints and the file's are {given.name}: choose others by "
            "--keypoints or, where it is a .bin, say what it reads by --lifter-layout"
        )
    if lifter.input_space != "screen" and any(r.camera.lens is None for r in data.recordings):
        raise UsageError(
            "this lifter reads rays, which take a lens, and the data set's files do not tell its cameras' "
            "lenses; one that reads screen coordinates can be measured on it"
        )
    return given


def rate_read(lifter: Lifter, rate: float) -> float:
    """Frames a second at which the lifter reads data of `rate`: that, unless its own is far from it."""
    low, high = RATE_TOLERANCE
    return rate if lifter.rate is None or low <= rate / lifter.rate <= high else lifter.rate


def lift_recorded(lifter: Lifter, *, flip: bool, skeleton: Skeleton) -> Lift:
    """The lifter as a function of `recorded_sequences`; `skeleton` is that of the true poses.

    Where the model puts the root is measured like any other joint, as in the published tables (a centred
    lifter's is 0 by construction). What was trained with zeros beyond a clip's ends gets zeros there.
    Raises `UsageError` for a lifter whose poses are not such a skeleton's.
    """
    model, space = lifter.model, lifter.input_space
    if model.num_joints_out != len(skeleton):
        raise UsageError(
            f"this lifter gives {model.num_joints_out} joints, and the true poses have {skeleton.name}'s "
            f"{len(skeleton)}"
        )
    mirror = SKELETONS[lifter.layout] if flip else None
    recordings = (lifter.about.get("config") or {}).get("recordings") or {}
    before, after = model.padding if recordings.get("padding") == "zero" else (0, 0)

    def lift(seen: NDArray[np.float32]) -> NDArray[np.float32]:
        if space == "centred":
            return predict_poses(model, seen, space, flip=mirror)
        padded = np.pad(seen, ((before, after), (0, 0), (0, 0)))
        return predict(model, padded, flip=mirror, flip_out=skeleton)[before : before + len(seen)]

    return lift
