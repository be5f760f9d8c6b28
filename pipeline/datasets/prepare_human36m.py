"""`videopose prepare h36m`: Human3.6M's original files → 3D poses and 2D keypoints in VideoPose3D's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...bounded import as_float32
from ...errors import InputError, one_line
from ...lifting.datasets import human36m
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.videopose3d_files import save_positions_3d
from ..progress import Progress, ReportError, say
from .cdf import read_cdf
from .checks import Poses, check_any_read, check_folder, keypoints_beside
from .mat import read_mat

_FOLDER = Path("MyPoseFeatures", "D3_Positions")


_KEYPOINTS_FILE = "data_2d_h36m_gt.npz"


def prepare_h36m(
    folder: Path, output: Path, *, overwrite: bool, progress: Progress, report_error: ReportError
) -> list[Path]:
    """Write Human3.6M's 3D poses and, in a second file, 2D keypoints projected from them.

    Args:
        folder: Holds the unpacked archives `Poses_D3_Positions_S*.tgz`:
            "S1/MyPoseFeatures/D3_Positions/Directions 1.cdf" and so on, or `.cdf.mat` saved by MATLAB's
            cdfread.
        output: The file of poses to write; `data_2d_h36m_gt.npz` is written beside it.
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
    files = list(_clip_files(folder))
    if not files:
        raise InputError(
            f"{folder} holds no {Path('S1', _FOLDER, '*.cdf')}; unpack Poses_D3_Positions_S1.tgz and "
            "the other subjects' archives there"
        )
    poses: Poses = {}
    with progress("reading Human3.6M", len(files)) as advance:
        for subject, action, path in files:
            try:
                positions = _positions(path)
                poses.setdefault(subject, {})[action] = positions
            except Exception as error:
                report_error(error)
            advance()
    for subject in CAMERAS:
        found = len([s for s, _, _ in files if s == subject])
        wanted = human36m.CLIPS_PER_SUBJECT - len([s for s, _ in human36m.MISSING if s == subject])
        if found != wanted:
            say(f"note: {subject} has {found} clips, the full dataset has {wanted}")
    check_any_read(poses, folder)
    save_positions_3d(output, poses)
    human36m.project_all(poses).save(keypoints)
    return [output, keypoints]


def _clip_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Subject, action and file of every clip; a `.cdf` is preferred to the `.cdf.mat` made from it."""
    for subject in CAMERAS:
        place = folder / subject / _FOLDER
        clips = {}
        for path in sorted(place.glob("*.cdf.mat")) + sorted(place.glob("*.cdf")):
            clips[human36m.canonical_action(path.name.split(".")[0])] = path
        for action, path in sorted(clips.items()):
            if (subject, action) not in human36m.MISSING and not action.startswith("_"):
                yield subject, action, path


def _positions(path: Path) -> NDArray[np.float32]:
    """Read the positions (T, 32, 3), metres, from a file."""
    try:
        if path.suffix == ".cdf":
            values = np.asarray(read_cdf(path, "Pose"), np.float64)
        else:
            values = np.asarray(read_mat(path)["data"][0, 0], np.float64)
        positions = as_float32(values.reshape(-1, human36m.NUM_JOINTS, 3) / 1000)
        if not len(positions) or not np.isfinite(positions).all():
            raise ValueError("poses are missing")
    except Exception as error:  # a damaged file
        raise InputError(f"{path} is not a file of Human3.6M's 3D positions ({one_line(error)})") from error
    return positions
