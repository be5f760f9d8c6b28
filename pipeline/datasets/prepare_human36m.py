"""`videopose prepare h36m`: Human3.6M's original files to the files that the field trades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from ...errors import InputError, UsageError
from ...lifting.datasets import human36m as h36m
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.videopose3d_files import save_positions_3d
from ..progress import Stage, say
from .common import Failed, Poses, _beside, _check_any, _check_folder

_H36M_FOLDER = Path("MyPoseFeatures", "D3_Positions")


_H36M_KEYPOINTS = "data_2d_h36m_gt.npz"


def prepare_h36m(folder: Path, output: Path, *, overwrite: bool, stage: Stage, failed: Failed) -> list[Path]:
    """Human3.6M's archives `Poses_D3_Positions_S*.tgz`, unpacked to `folder` → 3D poses and `gt` keypoints.

    Reads `S1/MyPoseFeatures/D3_Positions/Directions 1.cdf` and so on, or `.cdf.mat` that MATLAB's cdfread
    saved. Writes `output` and, beside it, `data_2d_h36m_gt.npz`. Returns what it wrote.
    Raises `InputError` where the folder holds no such file or none can be read, `OutputError` where a result
    exists and may not be replaced, and `UsageError` where CDF files cannot be read for want of cdflib.
    """
    _check_folder(folder)
    keypoints = _beside(output, _H36M_KEYPOINTS, overwrite=overwrite)
    files = list(_h36m_files(folder))
    if not files:
        raise InputError(
            f"{folder} holds no {Path('S1', _H36M_FOLDER, '*.cdf')}; unpack Poses_D3_Positions_S1.tgz and "
            "the other subjects' archives there"
        )
    read_cdf = _cdf_reader() if any(path.suffix == ".cdf" for _, _, path in files) else None
    poses: Poses = {}
    with stage("reading Human3.6M", len(files)) as advance:
        for subject, action, path in files:
            try:
                positions = _h36m_positions(path, read_cdf)
                poses.setdefault(subject, {})[action] = positions
            except InputError as error:
                failed(error)
            advance()
    for subject in CAMERAS:
        found = len([s for s, _, _ in files if s == subject])
        wanted = h36m.CLIPS_PER_SUBJECT - len([s for s, _ in h36m.MISSING if s == subject])
        if found != wanted:
            say(f"note: {subject} has {found} clips, the full data set {wanted}")
    _check_any(poses, folder)
    save_positions_3d(output, poses)
    h36m.project_all(poses).save(keypoints)
    return [output, keypoints]


def _h36m_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Subject, action and file of every clip; a `.cdf` goes before the `.cdf.mat` made of it."""
    for subject in CAMERAS:
        place = folder / subject / _H36M_FOLDER
        clips = {}
        for path in sorted(place.glob("*.cdf.mat")) + sorted(place.glob("*.cdf")):
            clips[h36m.canonical_action(path.name.split(".")[0])] = path
        for action, path in sorted(clips.items()):
            if (subject, action) not in h36m.MISSING and not action.startswith("_"):
                yield subject, action, path


def _h36m_positions(path: Path, read_cdf: Callable[[Path], Any] | None) -> NDArray[np.float32]:
    """(T, 32, 3) metres. Raises `InputError`."""
    try:
        if path.suffix == ".cdf":
            assert read_cdf is not None
            values = np.asarray(read_cdf(path), np.float64)
        else:
            values = np.asarray(loadmat(path)["data"][0, 0], np.float64)
        positions = values.reshape(-1, h36m.NUM_JOINTS, 3) / 1000
        if not len(positions) or not np.isfinite(positions).all():
            raise ValueError("poses are missing")
    except Exception as error:  # cdflib and scipy raise many kinds for a damaged file
        what = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is not a file of Human3.6M's 3D positions ({what})") from error
    return positions.astype(np.float32)


def _cdf_reader() -> Callable[[Path], Any]:
    try:
        import cdflib
    except ImportError as error:
        raise UsageError("reading CDF files needs cdflib: pip install 'videopose[datasets]'") from error
    return lambda path: cdflib.CDF(path).varget("Pose")
