"""The labelled half for a user's footage: motion capture from anywhere, or what stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UsageError
from ..lifting.datasets import human36m as h36m
from ..lifting.datasets import humaneva
from ..lifting.datasets.motion_capture import NUM_STORED_JOINTS, MotionCapture
from ..lifting.datasets.videopose3d_files import load_positions_3d
from ..lifting.inference.lifter import Lifter
from ..lifting.inference.resampling import interpolate
from ..lifting.training.recorded_data import DATASETS
from ..skeleton import H36M17, HUMANEVA15
from .quality import bone_lengths
from .spans import Span

_SHORTEST = 0.5  # seconds of a clip
_RATE = 30.0  # of what stands in, where the lifter does not tell its own
_EAR_SIDE, _EAR_BACK, _EAR_UP = 0.075, 0.065, 0.035  # metres from the nose of Human3.6M's skeleton

Take = tuple[str, str, NDArray[np.floating]]
"""Somebody's name, what he does, and where he is: (T, 17, 3) world, metres, z up."""


def read_labelled(path: Path) -> tuple[MotionCapture, str]:
    """Motion capture, and its licence in words, from a file or all the files of a folder: tables such as
    `videopose train` reads, Human3.6M's `data_3d_h36m.npz` or HumanEva-I's `data_3d_humaneva15.npz` (their
    training people). Raises `InputError` where there is none, and `UsageError` for several frame rates."""
    files = files_of(path)
    read: dict[str, Callable[[Path], MotionCapture]] = {
        "data_3d_h36m.npz": _h36m,
        "data_3d_humaneva15.npz": _humaneva,
    }
    tables = [read.get(file.name, MotionCapture.load)(file) for file in files]
    if len({table.rate for table in tables}) > 1:
        raise UsageError(f"{path}: motion of different frame rates; give one file by --labeled")
    sets = {"data_3d_h36m.npz": "h36m", "data_3d_humaneva15.npz": "humaneva"}
    licences = {DATASETS[sets[file.name]].licence for file in files if file.name in sets}
    return join(tables), "; ".join(sorted(licences)) or "that of the motion capture given by --labeled"


def files_of(path: Path) -> list[Path]:
    """A file, or all the files of motion in a folder. Raises `InputError` where there is none."""
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.glob("*.npz") if not f.name.startswith("data_2d_"))
    if not files:
        raise InputError(
            f"{path}: no motion capture in this folder (looked for .npz files); `videopose prepare` makes one"
        )
    return files


def join(tables: Sequence[MotionCapture]) -> MotionCapture:
    """Several tables as one."""
    names = ("names", "subjects", "actions", "sources")
    return MotionCapture(
        np.concatenate([table.positions for table in tables]),
        np.concatenate([table.lengths for table in tables]),
        tables[0].rate,
        *(tuple(v for table in tables for v in getattr(table, name)) for name in names),
    )


def _h36m(path: Path) -> MotionCapture:
    positions = load_positions_3d(path, h36m.NUM_JOINTS)
    takes = [
        (subject, action, h36m.to_17_joints(world))
        for subject in h36m.TRAIN_SUBJECTS
        for action, world in positions.get(subject, {}).items()
    ]
    return motion(takes, h36m.RATE, path.name)


def _humaneva(path: Path) -> MotionCapture:
    positions = load_positions_3d(path, len(HUMANEVA15))
    takes = [
        (subject, action, as_h36m17(world[first:last]))
        for subject in humaneva.TRAIN_SUBJECTS
        for action, world in positions.get(subject, {}).items()
        for first, last, good in humaneva.chunks(np.asarray(np.isfinite(world).all((1, 2))))
        if good
    ]
    return motion(takes, humaneva.RATE, path.name)


def stand_in(spans: Iterable[Span], lifter: Lifter) -> MotionCapture:
    """The footage's own motion, as `lifter` sees it before training, with bones that keep their lengths.

    Seen by virtual cameras it makes samples whose 2D and 3D belong together, which hold the lifter to what it
    knows while it learns to reproject. Raises `InputError` where nothing could be lifted.
    """
    rate = lifter.rate or _RATE
    takes: list[Take] = []
    for span in spans:
        pose, root = span.lifted(lifter)
        good = np.isfinite(root).all(1) & ~span.filled
        for first, last, known in humaneva.chunks(good):
            if known and last - first > 1 and span.times[last - 1] - span.times[first] >= _SHORTEST:
                times = span.times[first:last]
                grid = np.arange(times[0], times[-1], 1 / rate)
                points = interpolate((pose + root[:, None])[first:last], times, grid)
                # Whichever way the camera looked counts as level.
                upright = np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)
                takes.append((f"{span.name} {span.track}", span.name, even_bones(upright)))
    if not takes:
        raise InputError(
            "nobody was seen well enough, for half a second, to learn from; give clearer footage"
        )
    return motion(takes, rate, "the footage, as the starting lifter sees it")


def motion(takes: Sequence[Take], rate: float, source: str) -> MotionCapture:
    """A motion-capture table of takes, each of which begins above the origin."""
    if not takes:
        raise InputError(f"{source}: nobody to learn from")
    clips = [with_ears(points - points[0, 0] * [1, 1, 0]) for _, _, points in takes]
    return MotionCapture(
        np.concatenate(clips),
        np.array([len(clip) for clip in clips]),
        rate,
        *(tuple(names) for names in zip(*((f"{s} {a}", s, a, source) for s, a, _ in takes), strict=True)),
    )


def with_ears(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(T, 17, 3) → (T, 19, 3): the ears where the nose and the way the head points put them."""
    thorax, nose, head = (points[:, H36M17.index(name)] for name in ("thorax", "nose", "head"))
    up = _unit(head - thorax)
    ahead = nose - thorax
    forward = _unit(ahead - (ahead * up).sum(1, keepdims=True) * up)
    left = np.cross(up, forward)
    middle = nose - _EAR_BACK * forward + _EAR_UP * up
    ears = [middle + _EAR_SIDE * left, middle - _EAR_SIDE * left]
    out = np.concatenate([points, np.stack(ears, 1)], 1).astype(np.float32)
    assert out.shape[1] == NUM_STORED_JOINTS
    return out


def even_bones(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(T, 17, 3) with every bone at its usual (median) length, left and right alike."""
    usual = np.median(bone_lengths(points), 0)
    usual = (usual + usual[[joint - 1 for joint in H36M17.mirror[1:]]]) / 2
    out = np.array(points, np.float64)
    for joint, parent in H36M17.bones:  # parents come before their children
        out[:, joint] = out[:, parent] + usual[joint - 1] * _unit(points[:, joint] - points[:, parent])
    return out.astype(np.float32)


def as_h36m17(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """HumanEva's (T, 15, 3) → (T, 17, 3). It has no spine, which is put midway, and no nose, which is put
    before the head (HumanEva's is in its middle) where the shoulders face."""
    names = dict(zip(HUMANEVA15.names, np.moveaxis(np.asarray(points, np.float64), 1, 0), strict=True))
    names |= {"hip": names["pelvis"], "rfoot": names["rankle"], "lfoot": names["lankle"]}
    names["spine"] = (names["pelvis"] + names["thorax"]) / 2
    up = _unit(names["head"] - names["thorax"])
    forward = _unit(np.cross(names["lshoulder"] - names["rshoulder"], up))
    names["nose"] = names["head"] + _EAR_BACK * forward - _EAR_UP * up
    names["head"] = names["head"] + 0.1 * up  # to the crown
    return np.stack([names[name] for name in H36M17.names], 1)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-6)
    return unit
