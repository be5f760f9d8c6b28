"""The keypoint layouts of other programs, as data.

Each layout can be converted to COCO's 17 keypoints (`skeleton.convert`), which a pose table holds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...skeleton import COCO17, H36M17, MPII16, Skeleton

_COCO = " ".join(COCO17.names)
_OPENPOSE_ARMS = "nose neck rshoulder relbow rwrist lshoulder lelbow lwrist"
_OPENPOSE_LEGS = "rhip rknee rankle lhip lknee lankle reye leye rear lear"
_OPENPOSE_FEET = "lbigtoe lsmalltoe lheel rbigtoe rsmalltoe rheel"
_HALPE_BODY = f"{_COCO} head neck hip lbigtoe rbigtoe lsmalltoe rsmalltoe lheel rheel"
_FACE_AND_HANDS = ("",) * 110

LAYOUTS: Mapping[str, Skeleton] = {
    layout.name: layout
    for layout in (
        COCO17,
        # OpenPose's POSE_COCO_BODY_PARTS and POSE_BODY_25_BODY_PARTS
        Skeleton("coco18", f"{_OPENPOSE_ARMS} {_OPENPOSE_LEGS}".split()),
        Skeleton("body25", f"{_OPENPOSE_ARMS} hip {_OPENPOSE_LEGS} {_OPENPOSE_FEET}".split()),
        # AlphaPose's Halpe-FullBody, and COCO-WholeBody
        Skeleton("halpe26", _HALPE_BODY.split()),
        Skeleton("halpe136", (*_HALPE_BODY.split(), *_FACE_AND_HANDS)),
        Skeleton("wholebody133", (*f"{_COCO} {_OPENPOSE_FEET}".split(), *_FACE_AND_HANDS)),
        MPII16,
        H36M17,
    )
}
"""Layouts by name. Of several with the same number of keypoints, the first is the usual one."""


def find_layout(name: str, joints: int) -> Skeleton:
    """Return the layout that the user names.

    Args:
        name: A name in `LAYOUTS`.
        joints: How many keypoints each person has.

    Raises:
        UsageError: If there is no layout of that name, or it has another number of keypoints.
    """
    layout = LAYOUTS.get(name)
    if layout is None:
        raise UsageError(f"there is no keypoint layout {name!r}; known: {_known_layouts()}")
    if len(layout) != joints:
        raise UsageError(
            f"--keypoint-layout {name} has {len(layout)} joints, the keypoints have {joints}; "
            f"known: {_known_layouts()}"
        )
    return layout


def recognise_layout(found: int | Skeleton) -> Skeleton:
    """Recognise the layout of keypoints by their number, or by the left and right joints in their file.

    Joints that the layout has on the left or right must be left or right in the file. Which of them are
    counterparts is not compared: VideoPose3D's files of MPII keypoints pair hips with ankles, and MMPose has
    called Human3.6M's right leg the left one.

    Args:
        found: The number of keypoints, or a skeleton with the left and right joints of the file.

    Raises:
        InputError: If no known layout fits.
    """
    joints = found if isinstance(found, int) else len(found)
    for layout in LAYOUTS.values():
        if len(layout) == joints and (isinstance(found, int) or {*layout.sided} <= {*found.sided}):
            return layout
    if any(len(layout) == joints for layout in LAYOUTS.values()):
        raise InputError(
            f"no known layout has {joints} keypoints with left and right where the file has them; "
            f"known: {_known_layouts()}; if it is one of these, name it with --keypoint-layout"
        )
    raise InputError(f"no known layout has {joints} keypoints; known: {_known_layouts()}")


def looks_like_h36m(keypoints: NDArray[np.float32]) -> bool:
    """Whether 17 keypoints lie as Human3.6M's joints do, and not as COCO's.

    In Human3.6M's order the first joint lies between the hips, the eighth between the first and the ninth,
    and the ninth between the shoulders. In COCO's order the first five are close together in the face.

    Args:
        keypoints: x, y and score of one or more people.

    Shape:
        keypoints: (N, 17, 3).
    """
    used = [0, 1, 4, 7, 8, 11, 14]
    people = keypoints[(keypoints[:, used, 2] > 0).all(1)][..., :2].astype(np.float64)
    if len(people) < max(1, len(keypoints) // 4):
        return False
    hip, right_hip, left_hip, spine, thorax, left, right = people[:, used].transpose(1, 0, 2)
    trunk = np.linalg.norm(thorax - hip, axis=-1)
    off = [
        np.linalg.norm(hip - (right_hip + left_hip) / 2, axis=-1),
        np.linalg.norm(spine - (hip + thorax) / 2, axis=-1),
        np.linalg.norm(thorax - (left + right) / 2, axis=-1),
    ]
    height = np.linalg.norm(np.ptp(people, axis=1), axis=-1)
    first_five = np.linalg.norm(np.ptp(people[:, :5], axis=1), axis=-1)
    between = np.median(np.mean(off, axis=0) / np.maximum(trunk, 1e-6)) < 0.25
    return bool(between and np.median(first_five / np.maximum(height, 1e-6)) > 0.3)


def looks_like_body25(keypoints: NDArray[np.float32]) -> bool:
    """Whether 18 keypoints are the first 18 of OpenPose's BODY_25, and not those of its COCO model.

    Some programs cut BODY_25 to that number. Its ninth joint lies between the tenth and the 13th, the hips.
    In the order of the COCO model these are the right hip and the knees.

    Args:
        keypoints: x, y and score of one or more people.

    Shape:
        keypoints: (N, 18, 3).
    """
    used = [1, 8, 9, 12]
    people = keypoints[(keypoints[:, used, 2] > 0).all(1)][..., :2].astype(np.float64)
    if len(people) < max(1, len(keypoints) // 4):
        return False
    neck, hip, right_hip, left_hip = people[:, used].transpose(1, 0, 2)
    off = np.linalg.norm(hip - (right_hip + left_hip) / 2, axis=-1)
    trunk = np.linalg.norm(neck - hip, axis=-1)
    return bool(np.median(off / np.maximum(trunk, 1e-6)) < 0.15)


def _known_layouts() -> str:
    return ", ".join(f"{layout.name} ({len(layout)} joints)" for layout in LAYOUTS.values())
