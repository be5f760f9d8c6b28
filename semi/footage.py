"""Unlabeled footage: what a lifter reads of it, and the keypoints that its poses are projected onto."""

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
from .config import SemiConfig
from .losses import Bones

RAYS = Lens(Intrinsics(H36M_FOCAL, H36M_FOCAL, 0.0, 0.0)).parameters
"""The camera whose pixels are rays."""

_CX, _QX = 2, 10  # in `Lens.parameters`: what changes its sign if left and right are exchanged
_CY = 3
_FACTORS = slice(4, 12)


@dataclass(frozen=True)
class Clip:
    """One person, seen by one camera without a break.

    Attributes:
        lifter_input: (T, K, 2) keypoints in the lifter's input space.
        target: (T, S, 2) keypoints that the predicted joints are projected onto, in the pixels of `camera`.
        weight: (T, S) how far each of them is trusted; 0 if it was not detected.
        camera: (14,) `Lens.parameters`.
        person: A number that all clips of the same person have.

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
    """Clips to learn from without labels.

    Attributes:
        clips: The clips.
        joints: (S,) the joints of the poses that the clips' targets belong to.
        bones: The bones of the poses.
        mirror_input: The order of the lifter input's keypoints that exchanges left and right.
        mirror_target: The order of the targets that exchanges left and right.
    """

    clips: tuple[Clip, ...]
    joints: tuple[int, ...]
    bones: Bones
    mirror_input: tuple[int, ...]
    mirror_target: tuple[int, ...]

    @classmethod
    def of(
        cls, clips: tuple[Clip, ...], joints: tuple[int, ...], skeleton: Skeleton, mirror: tuple[int, ...]
    ) -> Footage:
        """Return footage whose poses have a skeleton.

        Args:
            clips: The clips.
            joints: The joints that the clips' targets belong to.
            skeleton: That of the poses.
            mirror: `mirror_input`.
        """
        mirror_target = tuple(joints.index(skeleton.mirror[joint]) for joint in joints)
        return cls(clips, joints, skeleton.bones, mirror, mirror_target)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def frames(self) -> int:
        """Frames of all clips together."""
        return sum(len(clip) for clip in self.clips)

    @property
    def mean_weight(self) -> float:
        """How far the keypoints are trusted, on average."""
        return float(np.concatenate([clip.weight for clip in self.clips]).mean())


def compared_joints(skeleton: Skeleton, *, exact: bool) -> tuple[int, ...]:
    """Return the joints that can be compared with keypoints.

    Args:
        skeleton: That of the poses.
        exact: Whether the keypoints are the very joints of the skeleton. Then all can be compared, else only
            the root and the limbs, which every layout places alike.
    """
    if exact:
        return tuple(range(len(skeleton)))
    return tuple(sorted((skeleton.parents.index(-1), *skeleton.sided)))


def clip_of_video(
    keypoints: NDArray[np.float32],
    weight: NDArray[np.float32],
    rays: NDArray[np.float32],
    *,
    person: int,
    space: InputSpace,
    joints: tuple[int, ...],
) -> Clip:
    """Return a clip of a user's video. It is compared in rays, which do not depend on the camera.

    Args:
        keypoints: (T, 17, 2) in Human3.6M's layout: screen coordinates for the space "screen", else rays.
            For the space "centred-visible" (T, 17, 3), with 1 for visible joints and less for hidden ones.
        weight: (T, S) how far the compared joints' keypoints are trusted.
        rays: (T, 17, 2) the same keypoints as rays, without the lens's distortion.
        person: As in `Clip`.
        space: What the lifter reads.
        joints: The compared joints.
    """
    lifter_input, _ = to_network(keypoints, space)
    return Clip(lifter_input, rays[:, list(joints)], weight, RAYS, person)


def recorded_footage(data: RecordingSet, space: InputSpace, config: SemiConfig) -> Footage:
    """Return recordings without their labels.

    They are compared in the units that the lifter reads: in normalised screen coordinates through the
    recording cameras' lenses, as in the paper, or in rays.

    Raises:
        InputError: A keypoint is missing.
        UsageError: A lens is not known, or the keypoints' layout does not fit the poses.
    """
    given = data.keypoint_skeleton
    convertible = (given, data.skeleton) == (COCO17, H36M17)
    if given is not data.skeleton and not convertible:
        raise UsageError(f"{given.name} keypoints cannot be compared with {data.skeleton.name} poses")
    joints = compared_joints(data.skeleton, exact=config.joints == "all" and not convertible)
    people = sorted({recording.subject for recording in data.recordings})

    def clip(recording: Recording) -> Clip:
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
        return Clip(lifter_input, target, weight, parameters, people.index(recording.subject))

    return Footage.of(
        tuple(clip(r) for r in data.recordings), joints, data.skeleton, data.keypoint_skeleton.mirror
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
    """Return the cameras (…, 14) that show mirrored people as the mirror image of what these cameras show."""
    sign = torch.ones(parameters.shape[-1]).to(parameters)
    sign[[_CX, _QX]] = -1
    return parameters * sign
