"""Human3.6M (Ionescu et al., PAMI 2014) in the files that the field trades.

`data_3d_h36m.npz` holds `positions_3d[subject][action]`, (T, 32, 3) world metres; each detector's keypoints
are in a `data_2d_h36m_<detector>.npz`: gt, cpn_ft_h36m_dbb, detectron_ft_h36m, sh_pt_mpii and so on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import H36M17, Skeleton
from .human36m_cameras import CAMERAS
from .recordings import RecordingSet, activity, naming_both, record, views_by_camera
from .videopose3d_files import KeypointFile, known_skeleton, load_positions_3d, select

RATE = 50.0
TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
NUM_JOINTS = 32

JOINTS_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Which of the 32 joints are H36M17's, in its order. The others are fingers, toes and doubles of these."""

FILE_SKELETON = Skeleton.without_names("h36m", len(H36M17), H36M17.left, H36M17.right)
"""How a file of `gt` keypoints describes H36M17."""

MISSING = {("S11", "Directions")}
"""(subject, action) pairs whose video is damaged: nobody trains or tests on them."""

CLIPS_PER_SUBJECT = 30


def load_h36m(
    poses: str | os.PathLike[str],
    keypoints: str | os.PathLike[str],
    *,
    subjects: Sequence[str] | None = None,
    activities: Sequence[str] | None = None,
) -> RecordingSet:
    """Read recordings: every camera's view of every clip, poses in 17 joints.

    subjects: such as `TRAIN_SUBJECTS`; all where None.
    activities: such as "Walking", which means both trials; all where None.
    Raises `InputError` where a file is not what it should be, the keypoints lack a recording or a camera or
    have fewer frames than the poses, or nothing is left.
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
    """A file's name without its ending → the action as the field calls it; the subjects' files differ."""
    return name.replace("TakingPhoto", "Photo").replace("WalkingDog", "WalkDog")


def to_17_joints(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """(…, 32, 3) → (…, 17, 3) in H36M17's order."""
    return positions[..., JOINTS_OF_32, :]


def project_all(
    positions: Mapping[str, Mapping[str, NDArray[np.float32]]],
) -> KeypointFile:
    """The `gt` keypoints: every pose, (T, 32, 3) world metres, as its subject's four cameras saw it."""
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
