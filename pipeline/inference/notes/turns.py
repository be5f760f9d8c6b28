"""Tell that a video is not upright, by people whose heads are not above their hips."""

from __future__ import annotations

import numpy as np

from ....lifting.pose_table import PoseTable
from ....skeleton import COCO17

_SURE = 0.3  # least score of a shoulder or hip that counts
_SHARE = 0.9  # of the sightings, in which people point the same way
_NEAR = 35.0  # degrees around that way
_SHOULDERS = list(COCO17.indices("lshoulder", "rshoulder"))
_HIPS = list(COCO17.indices("lhip", "rhip"))
_TURNS = {
    90: "people lie on their side, heads to the left",
    180: "people are upside down",
    270: "people lie on their side, heads to the right",
}
"""What is seen of people, by the clockwise rotation in degrees that would set them upright."""


def turn_note(table: PoseTable) -> str | None:
    """Return what a user should know if nearly all people are turned in the picture; None otherwise."""
    sure = (table.keypoints[:, _SHOULDERS + _HIPS, 2] >= _SURE).all(1) & ~table.filled
    up = table.keypoints[sure][:, _SHOULDERS, :2].mean(1) - table.keypoints[sure][:, _HIPS, :2].mean(1)
    if not len(up):
        return None
    leaning = np.degrees(np.arctan2(up[:, 0], -up[:, 1]))  # 0: upright, 90: the head to the right
    for turn, seen in _TURNS.items():
        off = np.abs((leaning + turn + 180) % 360 - 180)
        if (off <= _NEAR).mean() >= _SHARE:
            total = (turn + int((table.meta.get("video") or {}).get("rotate", 0))) % 360
            return f"{seen} in the picture; if the video is not upright, --rotate {total} turns it"
    return None
