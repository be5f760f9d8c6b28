"""`videopose prepare humaneva`: HumanEva-I's files → 3D poses and 2D keypoints in VideoPose3D's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...bounded import as_float32
from ...errors import InputError, one_line
from ...lifting.datasets import humaneva
from ...lifting.datasets.videopose3d_files import KeypointFile, Views, save_positions_3d
from ..progress import Progress, ReportError
from .checks import Poses, check_any_read, check_folder, keypoints_beside
from .mat import read_mat

_KEYPOINTS_FILE = "data_2d_humaneva15_gt.npz"


def prepare_humaneva(
    folder: Path, output: Path, *, overwrite: bool, progress: Progress, report_error: ReportError
) -> list[Path]:
    """Write HumanEva-I's 3D poses and, in a second file, its 2D keypoints.

    Frames in which the motion capture failed are left out. Each remaining span becomes a clip of its own.

    Args:
        folder: Holds "Train/S1/Walking_1.mat", "Validate/…" and so on, as VideoPose3D's `ConvertHumanEva.m`
            writes them: `poses_3d` (T, 15, 3), millimetres, and `poses_2d` (3, T, 15, 2), pixels; NaN in
            frames in which the motion capture failed.
        output: The file of poses to write; `data_2d_humaneva15_gt.npz` is written beside it.
        overwrite: Whether existing results may be replaced.
        progress: Shows the progress.
        report_error: Called for each file that cannot be read.

    Returns:
        The paths that were written.

    Raises:
        InputError: If the folder holds no such file, or none can be read.
        OutputError: If a result exists and may not be replaced.
    """
    check_folder(folder)
    keypoints = keypoints_beside(output, _KEYPOINTS_FILE, overwrite=overwrite)
    subjects = (*humaneva.TRAIN_SUBJECTS, *humaneva.TEST_SUBJECTS)
    files = [(s, path) for s in subjects for path in sorted((folder / s).glob("*.mat"))]
    if not files:
        raise InputError(
            f"{folder} holds no {Path('Train', 'S1', '*.mat')}; VideoPose3D's ConvertHumanEva.m writes them "
            "to converted_15j"
        )
    poses: Poses = {}
    views: dict[str, dict[str, Views]] = {}
    with progress("reading HumanEva-I", len(files)) as advance:
        for subject, path in files:
            try:
                world, seen = _clip(path)
                for name, (part, cameras) in humaneva.cut_clip(
                    path.stem.replace("_", " "), world, seen
                ).items():
                    poses.setdefault(subject, {})[name] = part
                    views.setdefault(subject, {})[name] = tuple(cameras)
            except Exception as error:
                report_error(error)
            advance()
    check_any_read(poses, folder)
    save_positions_3d(output, poses)
    KeypointFile(humaneva.FILE_SKELETON, views).save(keypoints)
    return [output, keypoints]


def _clip(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read poses (T, 15, 3), metres, and keypoints (3, T, 15, 2), pixels, from a file."""
    try:
        data = read_mat(path)
        world = as_float32(np.asarray(data["poses_3d"], np.float64) / 1000)
        views = as_float32(np.asarray(data["poses_2d"], np.float64))
        joints = len(humaneva.FILE_SKELETON)
        if world.shape[1:] != (joints, 3) or views.shape != (3, len(world), joints, 2):
            raise ValueError(f"poses_3d {world.shape} and poses_2d {views.shape}")
        if np.isinf(world).any() or np.isinf(views).any():
            raise ValueError("numbers that are not finite")
    except Exception as error:  # a damaged file
        raise InputError(f"{path} is not a clip of HumanEva-I ({one_line(error)})") from error
    return world, views
