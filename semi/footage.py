"""Unlabeled footage: the lifter input, and the keypoints with which projected poses are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UsageError
from ..lifting.cameras.distortion import Lens
from ..lifting.cameras.input_space import InputSpace
from ..lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from ..lifting.datasets.recordings import CalibratedCamera, Recording, RecordingSet, read_keypoints
from ..lifting.inference.predict import to_network
from ..skeleton import COCO17, H36M17, Skeleton, convert
from .config import SemiRecordedLosses
from .losses import Bones
from .second_view import SeenPoints

RAYS = Lens(Intrinsics(H36M_FOCAL, H36M_FOCAL, 0.0, 0.0)).parameters
"""A camera through which a point in camera space is projected to its ray."""

_CX, _QX = 2, 10  # indices into `Lens.parameters` of the values whose sign changes in a mirror image
_CY = 3
_FACTORS = slice(4, 12)


@dataclass(frozen=True)
class FootageSpan:
    """A span of a track as semi-supervised training reads it.

    Attributes:
        lifter_input: (T, K, 2) keypoints in the lifter's input space.
        target: (T, S, 2) keypoints with which the projected joints are compared, in the pixels of `camera`.
        weight: (T, S) weight of each keypoint of `target`, 0–1; 0 if it was not detected.
        camera: (14,) `Lens.parameters`.
        person: Number of the person; equal in all spans of the same person.

    Raises:
        ValueError: The numbers of frames or joints differ.
    """

    lifter_input: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    camera: Tensor
    person: int = 0

    def __post_init__(self) -> None:
        if not len(self.lifter_input) == len(self.target) or self.weight.shape != self.target.shape[:2]:
            raise ValueError(
                "lifter_input, target and weight must have the same number of frames and joints, found "
                f"{self.lifter_input.shape}, {self.target.shape} and {self.weight.shape}"
            )

    def __len__(self) -> int:
        return len(self.lifter_input)


@dataclass(frozen=True)
class Footage:
    """Unlabeled spans to train on.

    Attributes:
        spans: The spans.
        joints: (S,) for each keypoint of a span's `target`, the index of the joint that it is compared with.
        bones: The bones of the poses.
        mirror_input: Order of the keypoints of the lifter input in which left and right are exchanged.
        mirror_target: Order of the keypoints of `target` in which left and right are exchanged.
        seen: Which keypoints the lifter reads of known joints; None for poses of other skeletons than H36M17,
            and for videos.
    """

    spans: tuple[FootageSpan, ...]
    joints: tuple[int, ...]
    bones: Bones
    mirror_input: tuple[int, ...]
    mirror_target: tuple[int, ...]
    seen: SeenPoints | None = None

    @classmethod
    def of(
        cls,
        spans: tuple[FootageSpan, ...],
        joints: tuple[int, ...],
        skeleton: Skeleton,
        mirror: tuple[int, ...],
        seen: SeenPoints | None = None,
    ) -> Footage:
        """Make footage for poses of a skeleton.

        Args:
            spans: The spans.
            joints: See `Footage.joints`.
            skeleton: The skeleton of the poses.
            mirror: See `Footage.mirror_input`.
            seen: See `Footage.seen`.
        """
        mirror_target = tuple(joints.index(skeleton.mirror[joint]) for joint in joints)
        return cls(spans, joints, skeleton.bones, mirror, mirror_target, seen)

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def frames(self) -> int:
        """Frames of all spans together."""
        return sum(len(span) for span in self.spans)

    @property
    def mean_weight(self) -> float:
        """The mean weight of all keypoints."""
        return float(np.concatenate([span.weight for span in self.spans]).mean())


def compared_joints(skeleton: Skeleton, *, exact: bool) -> tuple[int, ...]:
    """Return the joints that can be compared with keypoints.

    Args:
        skeleton: The skeleton of the poses.
        exact: Whether the keypoints are defined as the joints of the skeleton are. If so, all joints can be
            compared. If not, only the root and the limbs can, which all layouts define alike.
    """
    if exact:
        return tuple(range(len(skeleton)))
    return tuple(sorted((skeleton.parents.index(-1), *skeleton.sided)))


def span_of_video(
    keypoints: NDArray[np.float32],
    weight: NDArray[np.float32],
    rays: NDArray[np.float32],
    *,
    person: int,
    space: InputSpace,
    joints: tuple[int, ...],
) -> FootageSpan:
    """Make a span of a user's video. Its targets are rays, which do not depend on the camera.

    Args:
        keypoints: (T, 17, 2) in Human3.6M's layout: screen coordinates for the space "screen", rays for the
            other spaces. For the space "centred-visible" they may be (T, 17, 3), with 1 for visible joints
            and less for hidden ones.
        weight: (T, S) weight of the keypoint of each compared joint, 0–1.
        rays: (T, 17, 2) the same keypoints as undistorted rays.
        person: See `FootageSpan.person`.
        space: The input space of the lifter.
        joints: The indices of the compared joints.
    """
    lifter_input, _ = to_network(keypoints, space)
    return FootageSpan(lifter_input, rays[:, list(joints)], weight, RAYS, person)


def recorded_footage(data: RecordingSet, space: InputSpace, config: SemiRecordedLosses) -> Footage:
    """Make footage of recordings, without their labels.

    The targets are in the input space of the lifter: normalised screen coordinates, for which poses are
    projected through the lens of the recording's camera as in the paper, or rays.

    Raises:
        InputError: A keypoint is missing.
        UsageError: A lens is not known, or the keypoints' layout or a loss does not fit the poses.
    """
    given = data.keypoint_skeleton
    convertible = (given, data.skeleton) == (COCO17, H36M17)
    if given is not data.skeleton and not convertible:
        raise UsageError(f"{given.name} keypoints cannot be compared with {data.skeleton.name} poses")
    exact = config.joints == "all" and not convertible
    joints = compared_joints(data.skeleton, exact=exact)
    seen = SeenPoints.of(given, exact=exact) if data.skeleton is H36M17 else None
    if config.view_consistency > 0 and seen is None:
        raise UsageError(
            f"semi.view_consistency takes poses of {H36M17.name}, found {data.skeleton.name}; "
            "set semi.view_consistency=0"
        )
    people = sorted({recording.subject for recording in data.recordings})

    def span(recording: Recording) -> FootageSpan:
        camera = recording.camera
        if camera.lens is None:
            raise UsageError(
                f"{recording.subject} {recording.action!r}: learning from footage without labels takes a "
                f"lens, and that of camera {camera.name} is not known"
            )
        lifter_input = read_keypoints(recording, space)
        target = convert(lifter_input, given, data.skeleton)[:, list(joints)]
        parameters = RAYS if space != "screen" else screen_camera(camera, distortion=config.distortion)
        weight = np.ones(target.shape[:2], np.float32)
        return FootageSpan(lifter_input, target, weight, parameters, people.index(recording.subject))

    return Footage.of(
        tuple(span(r) for r in data.recordings), joints, data.skeleton, data.keypoint_skeleton.mirror, seen
    )


def screen_camera(camera: CalibratedCamera, *, distortion: bool = True) -> Tensor:
    """Return the (14,) `Lens.parameters` of a camera whose pixels are normalised screen coordinates."""
    assert camera.lens is not None
    width, height = camera.size
    parameters = camera.lens.parameters.clone()
    parameters[:4] *= 2 / width
    parameters[_CX] -= 1
    parameters[_CY] -= height / width
    if not distortion:
        parameters[_FACTORS] = 0
    return parameters


def mirrored_camera(parameters: Tensor) -> Tensor:
    """Mirror cameras (…, 14), so that the images of mirrored people are the mirrored original images."""
    sign = torch.ones(parameters.shape[-1]).to(parameters)
    sign[[_CX, _QX]] = -1
    return parameters * sign
