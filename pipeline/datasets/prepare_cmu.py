"""`videopose prepare`: data sets as their makers publish them in, the files that readers here expect out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from ...errors import InputError, UsageError
from ...lifting.datasets import cmu, humaneva
from ...lifting.datasets import human36m as h36m
from ...lifting.datasets.asf_amc import AcclaimSkeleton, load_amc, load_asf
from ...lifting.datasets.bvh import load_bvh
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.videopose3d_files import KeypointFile, Views, save_positions_3d
from ..paths import check_free
from ..progress import Stage, say

Failed = Callable[[Exception], None]
"""Told of each file that cannot be read; the others go on."""

_H36M_FOLDER = Path("MyPoseFeatures", "D3_Positions")
_H36M_KEYPOINTS = "data_2d_h36m_gt.npz"
_HUMANEVA_KEYPOINTS = "data_2d_humaneva15_gt.npz"
_ELSEWHERE = "--output FILE"

Poses = dict[str, dict[str, NDArray[np.float32]]]


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


def prepare_humaneva(
    folder: Path, output: Path, *, overwrite: bool, stage: Stage, failed: Failed
) -> list[Path]:
    """HumanEva-I, as its official MATLAB code exports it → 3D poses and `gt` keypoints.

    Reads `Train/S1/Walking_1.mat`, `Validate/…` and so on: `poses_3d` (T, 15, 3), millimetres, and `poses_2d`
    (3, T, 15, 2), pixels, NaN where the capture failed, as VideoPose3D's `ConvertHumanEva.m` writes them.
    Writes `output` and, beside it, `data_2d_humaneva15_gt.npz`. Returns what it wrote.
    Raises `InputError` where the folder holds no such file or none can be read, and `OutputError` where a
    result exists and may not be replaced.
    """
    _check_folder(folder)
    keypoints = _beside(output, _HUMANEVA_KEYPOINTS, overwrite=overwrite)
    subjects = (*humaneva.TRAIN_SUBJECTS, *humaneva.TEST_SUBJECTS)
    files = [(s, path) for s in subjects for path in sorted((folder / s).glob("*.mat"))]
    if not files:
        raise InputError(
            f"{folder} holds no {Path('Train', 'S1', '*.mat')}; VideoPose3D's ConvertHumanEva.m writes them "
            "to converted_15j"
        )
    poses: Poses = {}
    views: dict[str, dict[str, Views]] = {}
    with stage("reading HumanEva-I", len(files)) as advance:
        for subject, path in files:
            try:
                world, seen = _humaneva_clip(path)
                for name, (part, cameras) in humaneva.cut_clip(
                    path.stem.replace("_", " "), world, seen
                ).items():
                    poses.setdefault(subject, {})[name] = part
                    views.setdefault(subject, {})[name] = tuple(cameras)
            except InputError as error:
                failed(error)
            advance()
    _check_any(poses, folder)
    save_positions_3d(output, poses)
    KeypointFile(humaneva.GROUND_TRUTH_LAYOUT, views).save(keypoints)
    return [output, keypoints]


def _humaneva_clip(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(T, 15, 3) metres and (3, T, 15, 2) pixels. Raises `InputError`."""
    try:
        data = loadmat(path)
        world = np.asarray(data["poses_3d"], np.float64) / 1000
        views = np.asarray(data["poses_2d"], np.float64)
        joints = len(humaneva.GROUND_TRUTH_LAYOUT.mirror)
        if world.shape[1:] != (joints, 3) or views.shape != (3, len(world), joints, 2):
            raise ValueError(f"poses_3d {world.shape} and poses_2d {views.shape}")
    except Exception as error:  # scipy raises many kinds for a damaged file
        what = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is not a clip of HumanEva-I ({what})") from error
    return world.astype(np.float32), views.astype(np.float32)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")


def _beside(output: Path, name: str, *, overwrite: bool) -> Path:
    """Where the keypoints go, once both results are known to be free."""
    keypoints = output.with_name(name)
    if output.name == name:
        raise UsageError(f"{name} is the name of the keypoints, which go beside the poses; give another")
    check_free([output, keypoints], overwrite=overwrite, elsewhere=_ELSEWHERE)
    return keypoints


def _check_any(poses: Mapping[str, object], folder: Path) -> None:
    if not poses:
        raise InputError(f"no file under {folder} could be read")


def prepare_cmu(
    folder: Path,
    output: Path,
    *,
    rate: float = cmu.RATE,
    index: Path | None = None,
    overwrite: bool,
    stage: Stage,
    failed: Failed,
) -> list[Path]:
    """CMU's clips, ASF/AMC or BVH, anywhere under `folder` → a motion-capture table.

    An `07_01.amc` needs its `07.asf` beside it. Of a clip that is there as both, the AMC is read. Clips that
    show the same motion are kept once. rate: of AMC files, frames a second. index: a text file that says what
    clips show, such as `cmu-mocap-index-text.txt`. Returns what it wrote.
    Raises `InputError` where there is no clip, or none clean, and `OutputError` where the result exists and
    may not be replaced.
    """
    _check_folder(folder)
    check_free([output], overwrite=overwrite, elsewhere=_ELSEWHERE)
    actions = cmu.read_index(_text(index)) if index else {}
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".amc", ".bvh") and p.is_file())
    if not files:
        raise InputError(f"{folder} holds no .bvh and no .amc files")
    files.sort(key=lambda p: p.suffix.lower() != ".amc")
    skeletons: dict[Path, AcclaimSkeleton] = {}
    clips: dict[str, list[cmu.Clip]] = {}
    with stage("reading motion capture", len(files)) as advance:
        for path in files:
            try:
                name, subject = cmu.clip_name(path.stem)
                if name not in clips:
                    clips[name] = _cmu_clips(path, name, subject, rate, skeletons)
            except InputError as error:
                failed(error)
            advance()
    kept, dropped = cmu.drop_duplicates([c for name in sorted(clips) for c in clips[name]])
    for name, twin in dropped:
        say(f"note: {name} shows the same motion as {twin} and was left out")
    table = cmu.to_table(kept, source=folder.resolve().name, actions=actions)
    table.save(output, notice=cmu.NOTICE)
    say(f"{len(table)} clips of {len(set(table.subjects))} people, {table.minutes:.1f} minutes")
    return [output]


def _cmu_clips(
    path: Path, name: str, subject: str, rate: float, skeletons: dict[Path, AcclaimSkeleton]
) -> list[cmu.Clip]:
    if path.suffix.lower() == ".bvh":
        motion = load_bvh(path, unit=cmu.UNIT)
    else:
        asf = path.with_name(f"{subject}.asf")
        if asf not in skeletons:
            skeletons[asf] = load_asf(asf)
        motion = load_amc(path, skeletons[asf], rate=rate)
    try:
        return cmu.clean_clips(motion, name, subject)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
