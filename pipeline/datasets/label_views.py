"""Find videos by calibrated cameras of people whose 3D poses are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.extrinsics import Extrinsics
from ...lifting.datasets import human36m
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.recordings import CalibratedCamera
from ...lifting.datasets.videopose3d_files import load_positions_3d


@dataclass(frozen=True)
class View:
    """One camera's video of people whose poses are known.

    Attributes:
        name: What the names of its images begin with.
        video: The file.
        lens: Returns the lens for the video's width and height; raises `ValueError` if they do not fit.
        extrinsics: Where the camera stands.
        world: (P, T, J, 3) metres.
        rate: Poses a second; None for one pose a frame.
    """

    name: str
    video: Path
    lens: Callable[[tuple[int, int]], Lens]
    extrinsics: Extrinsics
    world: NDArray[np.float32]
    rate: float | None = None


def human36m_views(poses: Path, videos: Path | None, subjects: Sequence[str]) -> list[View]:
    """Find Human3.6M's videos, with H36M17 poses.

    Args:
        poses: `data_3d_h36m.npz`.
        videos: The folder that holds "S1/Videos/Directions 1.54138969.mp4" and so on.
        subjects: The people wanted.

    Raises:
        InputError: If the poses cannot be read or there is no such video.
        UsageError: If `videos` is None.
    """
    if videos is None:
        raise UsageError("Human3.6M's poses need its videos; pass --videos FOLDER")
    positions = load_positions_3d(poses, human36m.NUM_JOINTS)
    views = []
    for subject in subjects:
        cameras = {camera.name: camera for camera in CAMERAS.get(subject, ())}
        for path in sorted((videos / subject / "Videos").glob("*.mp4")):
            action, _, camera_name = path.stem.rpartition(".")
            action, camera = human36m.canonical_action(action), cameras.get(camera_name)
            if camera is None or action not in positions.get(subject, {}):
                continue  # such as "_ALL 1", the calibration
            world = human36m.to_17_joints(positions[subject][action])[None]
            name = f"{subject}_{action}_{camera_name}".replace(" ", "_")
            views.append(View(name, path, partial(_known_lens, camera), camera.extrinsics, world))
    if not views:
        raise InputError(f"{videos} holds no {Path('S1', 'Videos', 'Directions 1.54138969.mp4')} or the like")
    return views


def _known_lens(camera: CalibratedCamera, size: tuple[int, int]) -> Lens:
    if camera.lens is None or size != camera.size:
        raise ValueError(
            f"it is {size[0]} × {size[1]}, the camera {camera.size[0]} × {camera.size[1]} pixels"
        )
    return camera.lens
