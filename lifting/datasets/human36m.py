"""Human3.6M (Ionescu et al., PAMI 2014) in VideoPose3D's files.

`data_3d_h36m.npz` holds `positions_3d[subject][action]`, (T, 32, 3) world metres. Each detector's keypoints
are in a file `data_2d_h36m_<detector>.npz`: gt, cpn_ft_h36m_dbb, detectron_ft_h36m, sh_pt_mpii and others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import H36M17, Skeleton
from .dataset import FileDataset
from .human36m_cameras import CAMERAS
from .recordings import RecordingSet, activity, naming_both, record, views_by_camera
from .videopose3d_files import KeypointFile, known_skeleton, load_positions_3d, select

RATE = 50.0
TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
NUM_JOINTS = 32

JOINTS_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""The joints of H36M17 among the 32, in its order. The others are fingers, toes and copies of these."""

FILE_SKELETON = Skeleton.without_names("h36m", len(H36M17), H36M17.left, H36M17.right)
"""How a file of `gt` keypoints describes H36M17."""

MISSING = {("S11", "Directions")}
"""(subject, action) pairs whose video is damaged. They are neither trained nor measured on."""

CLIPS_PER_SUBJECT = 30


def load_h36m(
    poses: str | os.PathLike[str],
    keypoints: str | os.PathLike[str],
    *,
    subjects: Sequence[str] | None = None,
    activities: Sequence[str] | None = None,
) -> RecordingSet:
    """Read recordings: every camera's view of every clip, with H36M17 poses.

    Args:
        poses: `data_3d_h36m.npz`.
        keypoints: `data_2d_h36m_<detector>.npz`.
        subjects: Such as `TRAIN_SUBJECTS`; None for all.
        activities: Such as "Walking", which means both trials; None for all.

    Raises:
        InputError: If a file is not what it should be, the keypoints lack a recording or a camera or have
            fewer frames than the poses, or no recording is left.
        UsageError: If no lifter reads such keypoints.
    """
    positions = load_positions_3d(poses, NUM_JOINTS)
    with naming_both(poses, keypoints):
        wanted = _wanted(positions, subjects, activities)
        file = KeypointFile.load(keypoints)
        recordings = []
        for subject, action in wanted:
            views = views_by_camera(file, subject, action, CAMERAS[subject])
            world = to_17_joints(positions[subject][action])
            recordings += [record(subject, action, camera, world, view) for camera, view in views]
    return RecordingSet(tuple(recordings), H36M17, known_skeleton(file.skeleton), RATE)


def _wanted(
    positions: Mapping[str, Mapping[str, object]],
    subjects: Sequence[str] | None,
    activities: Sequence[str] | None,
) -> list[tuple[str, str]]:
    chosen = select(list(positions), subjects, "subject")
    for subject in chosen:
        if subject not in CAMERAS:
            raise InputError(f"the cameras of subject {subject!r} are not known")
    pairs = [(s, a) for s in chosen for a in positions[s] if (s, a) not in MISSING]
    kinds = select([activity(a) for _, a in pairs], activities, "activity")
    pairs = [(s, a) for s, a in pairs if activity(a) in kinds]
    if not pairs:
        raise InputError("no recordings")
    return pairs


def canonical_action(name: str) -> str:
    """Return the action's usual name by a file's name without its ending; the subjects' files differ."""
    return name.replace("TakingPhoto", "Photo").replace("WalkingDog", "WalkDog")


def to_17_joints(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Select the joints of H36M17.

    Shape:
        positions: (…, 32, 3).
        result: (…, 17, 3).
    """
    return positions[..., JOINTS_OF_32, :]


def project_all(
    positions: Mapping[str, Mapping[str, NDArray[np.float32]]],
) -> KeypointFile:
    """Project every pose, (T, 32, 3) world metres, into the four cameras of its subject: `gt` keypoints."""
    return KeypointFile(
        FILE_SKELETON,
        {
            subject: {
                action: tuple(
                    c.lens.project(c.extrinsics.to_camera(to_17_joints(world)))
                    for c in CAMERAS[subject]
                    if c.lens
                )
                for action, world in actions.items()
            }
            for subject, actions in positions.items()
        },
    )


DATASET = FileDataset(
    stem="h36m",
    load=load_h36m,
    train_subjects=TRAIN_SUBJECTS,
    test_subjects=TEST_SUBJECTS,
    activities=None,
    prepare="h36m",
    licence="for academic, non-commercial use only: Human3.6M's licence does not allow commercial use",
)
