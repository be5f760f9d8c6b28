"""HumanEva-I (Sigal et al., IJCV 2010) in VideoPose3D's files.

`data_3d_humaneva15.npz` holds `positions_3d["Train/S1"]["Walking 1 chunk0"]`, (T, 15, 3) world metres, and
`data_2d_humaneva15_<detector>.npz` the keypoints of three cameras. A clip was cut where the capture failed.
Each chunk is a clip of its own, and no window may extend across the cut.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import HUMANEVA15, Skeleton
from ..cameras.extrinsics import Extrinsics
from .dataset import FileDataset
from .recordings import (
    CalibratedCamera,
    Recording,
    RecordingSet,
    activity,
    naming_both,
    record,
    views_by_camera,
)
from .videopose3d_files import KeypointFile, known_skeleton, load_positions_3d, select

RATE = 60.0
TRAIN_SUBJECTS = ("Train/S1", "Train/S2", "Train/S3")
TEST_SUBJECTS = ("Validate/S1", "Validate/S2", "Validate/S3")
ACTIVITIES = ("Walking", "Jog", "Box")
"""The activities in the paper's table; the dataset has ThrowCatch and Gestures, too."""

FILE_SKELETON = Skeleton.without_names("humaneva15", len(HUMANEVA15), HUMANEVA15.left, HUMANEVA15.right)
"""How a file of `gt` keypoints describes HUMANEVA15."""

_SIZE = (640, 480)
# Orientation (w, x, y, z) and position (millimetres) of the three colour cameras, C1 to C3. S1 and S3 were
# captured with one calibration.
_FIRST = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4062.2271, 663.2477, 1528.3970)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (844.8131, -3805.2092, 1504.9929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-797.6738, 3916.3174, 1433.6602)),
)
_SECOND = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4112.9121, 626.4929, 1545.2988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (923.5740, -3877.9243, 1504.5518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-781.4915, 3838.8853, 1444.9929)),
)

CAMERAS: dict[str, tuple[CalibratedCamera, ...]] = {
    subject: tuple(
        CalibratedCamera(f"C{i}", _SIZE, Extrinsics(orientation, (x / 1000, y / 1000, z / 1000)), None)
        for i, (orientation, (x, y, z)) in enumerate(places, 1)
    )
    for subject, places in (("S1", _FIRST), ("S2", _SECOND), ("S3", _FIRST))
}
"""The three cameras of each subject. VideoPose3D's files do not contain their lenses."""


def load_humaneva(
    poses: str | os.PathLike[str],
    keypoints: str | os.PathLike[str],
    *,
    subjects: Sequence[str] | None = None,
    activities: Sequence[str] | None = None,
) -> RecordingSet:
    """Read recordings: every camera's view of every chunk.

    A clip with poses that are not finite is cut there, and its pieces get "chunk" names.

    Args:
        poses: `data_3d_humaneva15.npz`.
        keypoints: `data_2d_humaneva15_<detector>.npz`.
        subjects: With their part, such as `TRAIN_SUBJECTS` or ["Validate/S2"]; None for all.
        activities: One for a single-action model, several for a multi-action model; None for all.

    Raises:
        InputError: If a file is not what it should be, the keypoints lack a recording or a camera or have
            fewer frames than the poses, or no recording is left.
        UsageError: If no lifter reads such keypoints.
    """
    positions = load_positions_3d(poses, len(HUMANEVA15))
    with naming_both(poses, keypoints):
        chosen = select(list(positions), subjects, "subject")
        known = [activity(a) for s in chosen for a in positions[s]]
        kinds = select(known, activities, "activity")
        file = KeypointFile.load(keypoints)
        recordings: list[Recording] = []
        for subject in chosen:
            cameras = _cameras(subject)
            for action, world in positions[subject].items():
                if activity(action) in kinds:
                    for camera, view in views_by_camera(file, subject, action, cameras):
                        recordings += _record(subject, action, camera, world, view)
        if not recordings:
            raise InputError("no recordings")
    return RecordingSet(tuple(recordings), HUMANEVA15, known_skeleton(file.skeleton), RATE)


def _cameras(subject: str) -> tuple[CalibratedCamera, ...]:
    """The cameras of "Train/S1", "Validate/S1" or "S1"."""
    try:
        return CAMERAS[subject.split("/")[-1]]
    except KeyError as error:
        raise InputError(f"the cameras of subject {subject!r} are not known") from error


def _record(
    subject: str,
    action: str,
    camera: CalibratedCamera,
    world: NDArray[np.float32],
    view: NDArray[np.float32],
) -> list[Recording]:
    spans = chunks(np.asarray(np.isfinite(world).all((1, 2))))
    if len(spans) == 1:
        return [record(subject, action, camera, world, view)]
    if len(view) < len(world):
        raise InputError(f"{subject} {action!r}: {len(view)} frames of 2D for {len(world)} of 3D")
    return [
        record(subject, f"{action} chunk{i}", camera, world[a:b], view[a:b])
        for i, (a, b, valid) in enumerate(spans)
        if valid
    ]


def cut_clip(
    action: str, world: NDArray[np.float32], views: NDArray[np.float32]
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Cut a clip into its valid chunks.

    Frames that are not finite in `world` or `views` were not captured. Spans of such frames count in the
    numbering, as in VideoPose3D's files.

    Args:
        action: The clip's name.
        world: Poses.
        views: Keypoints by camera.

    Returns:
        Poses and keypoints by the chunk's name, such as "Walking 1 chunk0".

    Shape:
        world: (T, 15, 3).
        views: (3, T, 15, 2).
    """
    valid = np.isfinite(world).all((1, 2)) & np.isfinite(views).all((0, 2, 3))
    return {
        f"{action} chunk{i}": (world[a:b], views[:, a:b])
        for i, (a, b, good) in enumerate(chunks(np.asarray(valid)))
        if good
    }


def chunks(valid: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """Return the spans of frames of equal validity (T,): (start, stop, whether valid), in order."""
    edges = [0, *(np.flatnonzero(np.diff(valid)) + 1).tolist(), len(valid)]
    return [(a, b, bool(valid[a])) for a, b in pairwise(edges) if b > a]


DATASET = FileDataset(
    stem="humaneva15",
    load=load_humaneva,
    train_subjects=TRAIN_SUBJECTS,
    test_subjects=TEST_SUBJECTS,
    activities=ACTIVITIES,
    prepare="humaneva",
    licence="for research only: HumanEva-I's licence does not allow commercial use",
)
