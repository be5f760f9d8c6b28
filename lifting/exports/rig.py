"""The rig: the skeleton of bones that the animation formats share, its rest pose, and its names.

Space: metres, y up, the person looks along +z, the left side is at +x. In the rest pose the person stands on
the floor (y = 0) with straight legs and with the arms stretched out sideways: a T-pose. Every bone's rest
rotation is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cameras.level import ANKLE_HEIGHT

_SPINE_SHARE = 0.3  # of the way from the hips to Human3.6M's spine joint, where the lowest spine bone begins
_UPPER_CHEST_SHARE = 0.6  # of the way from the spine joint to the thorax, where the arms branch off
_NECK_SHARE = 0.45  # of the way from the thorax to the top of the head, where the head bone begins
_SHOULDER_DROP = 0.19  # of the thorax–shoulder length: how far shoulders hang below the thorax
_CLAVICLE_SHARE = 0.2  # of the way out to the shoulder, where the shoulder bone begins
_TOE_LENGTH = 0.14  # metres from the ankle to the end of the foot bone; the keypoints do not show it
_HAND_LENGTH = 0.09  # metres from the wrist to the end of the hand bone; the keypoints do not show it

JOINTS = (
    *("hips", "lthigh", "lshin", "lfoot", "rthigh", "rshin", "rfoot"),
    *("spine", "chest", "upper_chest", "neck", "head"),
    *("lshoulder", "larm", "lforearm", "lhand", "rshoulder", "rarm", "rforearm", "rhand"),
)
"""The rig's joints, each the head of the bone of that name; parents come before children."""

PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 10, 9, 12, 13, 14, 9, 16, 17, 18)
ENDS = ("lfoot", "rfoot", "head", "lhand", "rhand")
"""The joints whose bones end in no other joint; they have an end point instead."""

_PLAIN = (
    *("Hips", "LeftUpperLeg", "LeftLowerLeg", "LeftFoot", "RightUpperLeg", "RightLowerLeg", "RightFoot"),
    *("Spine", "Chest", "UpperChest", "Neck", "Head"),
    *("LeftShoulder", "LeftUpperArm", "LeftLowerArm", "LeftHand"),
    *("RightShoulder", "RightUpperArm", "RightLowerArm", "RightHand"),
)
_LEGS_AND_ARMS = {
    **{"lthigh": "LeftUpLeg", "lshin": "LeftLeg", "lfoot": "LeftFoot"},
    **{"rthigh": "RightUpLeg", "rshin": "RightLeg", "rfoot": "RightFoot"},
    **{"lshoulder": "LeftShoulder", "larm": "LeftArm", "lforearm": "LeftForeArm", "lhand": "LeftHand"},
    **{"rshoulder": "RightShoulder", "rarm": "RightArm", "rforearm": "RightForeArm", "rhand": "RightHand"},
    **{"hips": "Hips", "neck": "Neck", "head": "Head"},
}
_MIXAMO = _LEGS_AND_ARMS | {"spine": "Spine", "chest": "Spine1", "upper_chest": "Spine2"}
_CMU = _LEGS_AND_ARMS | {"spine": "LowerBack", "chest": "Spine", "upper_chest": "Spine1"}

NAMES: Mapping[str, tuple[str, ...]] = {
    "plain": _PLAIN,
    "mixamo": tuple("mixamorig:" + _MIXAMO[joint] for joint in JOINTS),
    "cmu": tuple(_CMU[joint] for joint in JOINTS),
}
"""What each joint of the rig is called: as by Unity, on Mixamo's characters, in CMU's files."""


@dataclass(frozen=True)
class BoneLengths:
    """The lengths that shape one person's rig, in metres; left and right are alike.

    Attributes:
        pelvis: From the middle of the hips to a hip joint.
        thigh: From the hip joint to the knee.
        shin: From the knee to the ankle.
        lower_trunk: From the middle of the hips to Human3.6M's spine joint.
        upper_trunk: From the spine joint to the thorax.
        head: From the thorax to the top of the head.
        shoulder: From the thorax to a shoulder joint.
        upper_arm: From the shoulder joint to the elbow.
        forearm: From the elbow to the wrist.
    """

    pelvis: float
    thigh: float
    shin: float
    lower_trunk: float
    upper_trunk: float
    head: float
    shoulder: float
    upper_arm: float
    forearm: float

    def rest(self) -> NDArray[np.float64]:
        """Return (20, 3): each joint's rest offset from its parent; that of the hips is from the floor."""
        width = self.shoulder * np.sqrt(1 - _SHOULDER_DROP**2)
        drop = self.shoulder * _SHOULDER_DROP
        above = (1 - _UPPER_CHEST_SHARE) * self.upper_trunk  # the thorax above the upper chest
        middle = {
            "hips": (0, self.thigh + self.shin + ANKLE_HEIGHT, 0),
            "spine": (0, _SPINE_SHARE * self.lower_trunk, 0),
            "chest": (0, (1 - _SPINE_SHARE) * self.lower_trunk, 0),
            "upper_chest": (0, _UPPER_CHEST_SHARE * self.upper_trunk, 0),
            "neck": (0, above, 0),
            "head": (0, _NECK_SHARE * self.head, 0),
        }
        left = {
            "thigh": (self.pelvis, 0, 0),
            "shin": (0, -self.thigh, 0),
            "foot": (0, -self.shin, 0),
            "shoulder": (_CLAVICLE_SHARE * width, above - drop, 0),
            "arm": ((1 - _CLAVICLE_SHARE) * width, 0, 0),
            "forearm": (self.upper_arm, 0, 0),
            "hand": (self.forearm, 0, 0),
        }
        return _both_sides(middle, left, JOINTS)

    def ends(self) -> NDArray[np.float64]:
        """Return (5, 3): the end point of each bone of `ENDS`, from that bone's joint."""
        middle = {"head": (0, (1 - _NECK_SHARE) * self.head, 0)}
        left = {"foot": (0, -ANKLE_HEIGHT, _TOE_LENGTH), "hand": (_HAND_LENGTH, 0, 0)}
        return _both_sides(middle, left, ENDS)


def _both_sides(
    middle: Mapping[str, tuple[float, float, float]],
    left: Mapping[str, tuple[float, float, float]],
    joints: tuple[str, ...],
) -> NDArray[np.float64]:
    """Rows for `joints`: the middle ones as given, the left ones, and the right ones mirrored."""
    rows = []
    for joint in joints:
        if joint in middle:
            rows.append(middle[joint])
        else:
            x, y, z = left[joint[1:]]
            rows.append((x if joint[0] == "l" else -x, y, z))
    return np.array(rows, np.float64)
