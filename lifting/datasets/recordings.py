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
from ..cameras.input_space import InputSpace, to_rays, to_screen
from .videopose3d_files import KeypointFile


@dataclass(frozen=True)
class CalibratedCamera:
    """A camera whose position and orientation are known, and usually the lens.

    Attributes:
        name: The name in the dataset.
        size: Width and height in pixels.
        extrinsics: Position and orientation.
        lens: None if the dataset's files do not give it.
    """

    name: str
    size: tuple[int, int]
    extrinsics: Extrinsics
    lens: Lens | None


@dataclass(frozen=True)
class Recording:
    """One camera's view of one clip.

    Attributes:
        subject: The person.
        action: What the person does.
        camera: The camera.
        keypoints: (T, K, 2) float32, pixels.
        pose: (T, J, 3) float32, camera space, metres, root at 0.
        root: (T, 3) float32, the root's trajectory in camera space, metres.

    Raises:
        ValueError: If there are no frames, or lengths disagree.
    """

    subject: str
    action: str
    camera: CalibratedCamera
    keypoints: NDArray[np.float32]
    pose: NDArray[np.float32]
    root: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not len(self.keypoints) == len(self.pose) == len(self.root) or not len(self.pose):
            lengths = len(self.keypoints), len(self.pose), len(self.root)
            raise ValueError(f"expected as many keypoints, poses and roots, at least one, found {lengths}")

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
    """Return an action without its trial or chunk: "Walking" of "Walking 1 chunk0"."""
    return action.split(" ")[0]


def views_by_camera(
    file: KeypointFile, subject: str, action: str, cameras: Sequence[CalibratedCamera]
) -> list[tuple[CalibratedCamera, NDArray[np.float32]]]:
    """Return each camera with its keypoints of a clip.

    Raises:
        InputError: If the file has another number of cameras.
    """
    views = file.views(subject, action)
    if len(views) != len(cameras):
        raise InputError(f"{subject} {action!r}: expected {len(cameras)} cameras, found {len(views)}")
    return list(zip(cameras, views, strict=True))


@contextmanager
def naming_both(poses: str | os.PathLike[str], keypoints: str | os.PathLike[str]) -> Iterator[None]:
    """Add the names of both files to an `InputError`, unless it names the file of keypoints already."""
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
    """Make a recording of world poses and a camera's keypoints.

    Some of Human3.6M's videos continue after the motion capture stopped: their last keypoints are dropped.

    Raises:
        InputError: If there are fewer keypoints than poses, or a pose is not finite.

    Shape:
        world: (T, J, 3), metres, root first.
        keypoints: (at least T, K, 2), pixels.
    """
    frames = len(world)
    where = f"{subject} {action!r}, camera {camera.name}"
    if not frames:
        raise InputError(f"{where}: expected 3D poses, found none")
    if not np.isfinite(world).all():
        raise InputError(f"{where}: 3D poses must be finite")
    if len(keypoints) < frames:
        raise InputError(f"{where}: {len(keypoints)} frames of 2D keypoints for {frames} of 3D poses")
    pose = camera.extrinsics.to_camera(world)
    root = pose[:, 0].copy()
    return Recording(subject, action, camera, keypoints[:frames], pose - root[:, None], root)


def to_input_space(
    keypoints: NDArray[np.float32], camera: CalibratedCamera, space: InputSpace
) -> NDArray[np.float32]:
    """Convert a camera's keypoints (T, K, 2), pixels, to a lifter's input space; rays are undistorted."""
    if space == "screen":
        return to_screen(keypoints, camera.size)
    assert camera.lens is not None
    return to_rays(camera.lens.undistort(keypoints), camera.lens.intrinsics)


def read_keypoints(recording: Recording, space: InputSpace) -> NDArray[np.float32]:
    """Return a recording's keypoints in a lifter's input space.

    Raises:
        InputError: If a keypoint is not finite.
        UsageError: If the input space is rays, and the camera's lens is not known.

    Shape:
        (T, K, 2)
    """
    camera = recording.camera
    where = f"{recording.subject} {recording.action!r}, camera {camera.name}"
    if not np.isfinite(recording.keypoints).all():
        raise InputError(f"{where}: frames without keypoints; interpolate them in the file of detections")
    if space != "screen" and camera.lens is None:
        raise UsageError(f"{where}: input_space rays needs a camera whose lens is known; screen does not")
    return to_input_space(recording.keypoints, camera, space)
