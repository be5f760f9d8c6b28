"""Unlabelled footage as a lifter reads it, beside the keypoints that its poses are to be projected onto."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UsageError
from ..lifting.cameras.distortion import Lens
from ..lifting.cameras.input_space import InputSpace, centre
from ..lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from ..lifting.datasets.recordings import CalibratedCamera, Recording, RecordingSet, read_keypoints
from ..skeleton import COCO17, H36M17, Skeleton, convert
from .config import SemiConfig

RAYS = Lens(Intrinsics(H36M_FOCAL, H36M_FOCAL, 0.0, 0.0)).parameters
"""The camera whose pixels are rays (`camera.to_rays`)."""

_CX, _QX = 2, 10  # in `Lens.parameters`: what turns about when left and right are exchanged
_CY = 3
_FACTORS = slice(4, 12)


@dataclass(frozen=True)
class Clip:
    """One person, seen without a break by one camera.

    seen: (T, K, 2), what the lifter reads. target: (T, S, 2) keypoints that are compared, in whatever units
    `camera`, (14,) of `Lens.parameters`, projects to. weight: (T, S), how far each is trusted; 0 where it was
    not seen. person: a number that other clips of the same person have too. Raises `ValueError` where shapes
    disagree.
    """

    seen: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    camera: Tensor
    person: int = 0

    def __post_init__(self) -> None:
        if not len(self.seen) == len(self.target) or self.weight.shape != self.target.shape[:2]:
            raise ValueError("seen, target and weight must have the same number of frames and joints")

    def __len__(self) -> int:
        return len(self.seen)


@dataclass(frozen=True)
class Footage:
    """Clips to learn from without labels.

    joints: (S,) of the poses, which are compared with the clips' targets. mirror_seen, mirror_target: the
    orders of keypoints that exchange left and right.
    """

    clips: tuple[Clip, ...]
    joints: tuple[int, ...]
    mirror_seen: tuple[int, ...]
    mirror_target: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def frames(self) -> int:
        """Of all clips."""
        return sum(len(clip) for clip in self.clips)

    @property
    def trust(self) -> float:
        """The mean weight of its keypoints."""
        return float(np.concatenate([clip.weight for clip in self.clips]).mean())


def compared(skeleton: Skeleton, *, exact: bool) -> tuple[int, ...]:
    """The joints that keypoints can be held against: all where they are the very same joints (`exact`), else
    the root and the limbs, which every layout places alike."""
    if exact:
        return tuple(range(len(skeleton)))
    return tuple(sorted((skeleton.parents.index(-1), *skeleton.sided)))


def mirror_of(joints: tuple[int, ...], skeleton: Skeleton) -> tuple[int, ...]:
    """The order of some of a skeleton's joints that exchanges left and right."""
    return tuple(joints.index(skeleton.mirror[joint]) for joint in joints)


def as_clip(
    keypoints: NDArray[np.float32],
    weight: NDArray[np.float32],
    rays: NDArray[np.float32],
    *,
    person: int,
    space: InputSpace,
    joints: tuple[int, ...],
) -> Clip:
    """A user's footage: compared as rays, so that a phone's and a studio's pixels weigh alike.

    keypoints: (T, 17, 2), Human3.6M's layout, as of `camera.to_rays`, or for the space "screen" as of
    `camera.to_screen`. weight: (T, S), of the joints that are compared. rays: (T, 17, 2), undistorted, as of
    `camera.to_rays`. person: as of `Clip`.
    """
    seen = keypoints
    if space == "centred":
        seen = centre(torch.from_numpy(keypoints / H36M_FOCAL))[0].numpy()
    return Clip(seen, rays[:, list(joints)], weight, RAYS, person)


def studio_footage(data: RecordingSet, space: InputSpace, config: SemiConfig) -> Footage:
    """Recordings without their labels, compared in the units that the lifter reads: normalised screen
    coordinates through the studio's lenses, as in the paper, or rays.

    Raises `InputError` for keypoints that are missing, and `UsageError` where a lens is not known, or the
    keypoints' layout is not that of the poses.
    """
    given = data.keypoint_skeleton
    convertible = (given, data.skeleton) == (COCO17, H36M17)
    if given is not data.skeleton and not convertible:
        raise UsageError(f"{given.name} keypoints cannot be compared with {data.skeleton.name} poses")
    joints = compared(data.skeleton, exact=config.joints == "all" and not convertible)
    people = sorted({recording.subject for recording in data.recordings})

    def clip(recording: Recording) -> Clip:
        camera = recording.camera
        if camera.lens is None:
            raise UsageError(
                f"{recording.subject} {recording.action!r}: learning from footage without labels takes a "
                f"lens, and that of camera {camera.name} is not known"
            )
        seen = read_keypoints(recording, space)
        target = convert(seen, given, data.skeleton)[:, list(joints)]
        parameters = RAYS if space != "screen" else screen_camera(camera, distortion=config.distortion)
        weight = np.ones(target.shape[:2], np.float32)
        return Clip(seen, target, weight, parameters, people.index(recording.subject))

    return Footage(
        tuple(clip(r) for r in data.recordings),
        joints,
        data.keypoint_skeleton.mirror,
        mirror_of(joints, data.skeleton),
    )


def screen_camera(camera: CalibratedCamera, *, distortion: bool = True) -> Tensor:
    """(14,) of `Lens.parameters`, of a camera whose pixels are normalised screen coordinates."""
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
    """(…, 14): the camera that sees mirrored people where this one's mirrored picture shows them."""
    sign = torch.ones(parameters.shape[-1]).to(parameters)
    sign[[_CX, _QX]] = -1
    return parameters * sign
