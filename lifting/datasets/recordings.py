"""Recordings of people by calibrated cameras: 2D keypoints beside true 3D poses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...skeleton import Skeleton
from ..cameras.distortion import Lens
from ..cameras.extrinsics import Extrinsics
from ..cameras.input_space import InputSpace
from ..cameras.intrinsics import to_rays, to_screen
from .videopose3d_files import KeypointFile


@dataclass(frozen=True)
class CalibratedCamera:
    """A camera of a capture studio.

    name: as the data set calls it. size: width and height in pixels.
    lens: None where the published files do not tell.
    """

    name: str
    size: tuple[int, int]
    extrinsics: Extrinsics
    lens: Lens | None


@dataclass(frozen=True)
class Recording:
    """One camera's view of one clip.

    keypoints: (T, K, 2) float32, pixels, in the layout of the detector.
    pose: (T, J, 3) float32, camera space, metres, root at 0.
    root: (T, 3) float32, the root's trajectory in camera space, metres.
    Raises `ValueError` where lengths disagree.
    """

    subject: str
    action: str
    camera: CalibratedCamera
    keypoints: NDArray[np.float32]
    pose: NDArray[np.float32]
    root: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not len(self.keypoints) == len(self.pose) == len(self.root) or not len(self.pose):
            raise ValueError("keypoints, pose and root must have the same number of frames, and some")

    def __len__(self) -> int:
        return len(self.pose)

    @property
    def activity(self) -> str:
        """The action without its trial or chunk: "Walking" of "Walking 1"."""
        return activity(self.action)


@dataclass(frozen=True)
class RecordingSet:
    """Recordings of one dataset.

    Attributes:
        recordings: One per camera and clip.
        skeleton: The joints of the poses.
        keypoint_skeleton: The joints of the 2D keypoints.
        rate: Frames a second.
    """

    recordings: tuple[Recording, ...]
    skeleton: Skeleton
    keypoint_skeleton: Skeleton
    rate: float

    def __len__(self) -> int:
        return len(self.recordings)


def activity(action: str) -> str:
    """An action without its trial or chunk: "Walking" of "Walking 1 chunk0"."""
    return action.split(" ")[0]


def views_by_camera(
    file: KeypointFile, subject: str, action: str, cameras: Sequence[CalibratedCamera]
) -> list[tuple[CalibratedCamera, NDArray[np.float32]]]:
    """Each camera with its keypoints of a clip. Raises `InputError` where their numbers differ."""
    views = file.views(subject, action)
    if len(views) != len(cameras):
        raise InputError(f"{subject} {action!r} has {len(views)} cameras instead of {len(cameras)}")
    return list(zip(cameras, views, strict=True))


@contextmanager
def naming_both(poses: str | os.PathLike[str], keypoints: str | os.PathLike[str]) -> Iterator[None]:
    """Let an `InputError` name the two files, unless it is about the keypoints' own."""
    try:
        yield
    except InputError as error:
        if str(error).startswith(str(keypoints)):
            raise
        raise InputError(f"{poses} with {keypoints}: {error}") from error


def record(
    subject: str,
    action: str,
    camera: CalibratedCamera,
    world: NDArray[np.float32],
    keypoints: NDArray[np.float32],
) -> Recording:
    """Put 3D poses (T, J, 3), world, root first, beside a camera's keypoints (≥ T, K, 2).

    Some of Human3.6M's videos run on after the motion capture stopped: their last keypoints are dropped.
    Raises `InputError` where keypoints are fewer than poses, or a pose is not finite.
    """
    frames = len(world)
    where = f"{subject} {action!r}, camera {camera.name}"
    if not frames or not np.isfinite(world).all():
        raise InputError(f"{where}: 3D poses must be finite, and some")
    if len(keypoints) < frames:
        raise InputError(f"{where}: {len(keypoints)} frames of 2D keypoints for {frames} of 3D poses")
    pose = camera.extrinsics.to_camera(world)
    root = pose[:, 0].copy()
    return Recording(subject, action, camera, keypoints[:frames], pose - root[:, None], root)


def as_read(
    keypoints: NDArray[np.float32], camera: CalibratedCamera, space: InputSpace
) -> NDArray[np.float32]:
    """A camera's keypoints (T, K, 2), pixels, in a lifter's input space; its lens is undone for rays."""
    if space == "screen":
        return to_screen(keypoints, camera.size)
    assert camera.lens is not None
    return to_rays(camera.lens.undistort(keypoints), camera.lens.intrinsics)


def read_keypoints(recording: Recording, space: InputSpace) -> NDArray[np.float32]:
    """(T, K, 2): a recording's keypoints in the input space. Raises `InputError` where one is not finite, and
    `UsageError` for rays of a camera whose lens is not known."""
    camera = recording.camera
    where = f"{recording.subject} {recording.action!r}, camera {camera.name}"
    if not np.isfinite(recording.keypoints).all():
        raise InputError(f"{where}: frames without keypoints; interpolate them in the file of detections")
    if space != "screen" and camera.lens is None:
        raise UsageError(f"{where}: input_space rays needs a camera whose lens is known; screen does not")
    return as_read(recording.keypoints, camera, space)
