"""Place keypoints that a detector left out.

OpenPose leaves out keypoints with a low score, such as an ear on the far side or a wrist behind the back. A
lifter reads every keypoint of every frame, so each needs a position.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from .track import Track

_SHOULDERS = COCO17.indices("lshoulder", "rshoulder")
_HIPS = COCO17.indices("lhip", "rhip")
_NOSE = COCO17.index("nose")
# (keypoint, its neighbour nearer to the trunk), the nearer ones first; COCO17's parents are these neighbours.
_LIMBS = [
    (joint, COCO17.parents[joint])
    for name in ("elbow", "wrist", "knee", "ankle", "eye", "ear")
    for joint in COCO17.indices("l" + name, "r" + name)
]


def place_missing(track: Track, times: NDArray[np.float64]) -> Track:
    """Estimate the positions of keypoints that score 0; their score stays 0.

    Shoulders and hips are interpolated linearly over time. The others are interpolated relative to a
    neighbour, so that a hidden wrist moves with its elbow. A keypoint that is never seen is put on its
    neighbour, a shoulder or hip at the mean of the keypoints that are seen.

    Args:
        track: The person.
        times: (n,) seconds of the track's frames.
    """
    xy, seen = track.keypoints[..., :2].astype(np.float64), track.keypoints[..., 2] > 0
    if seen.all() or not seen.any(1).all():
        return track
    middle = (xy * seen[..., None]).sum(1) / seen.sum(1)[:, None]
    for joint in (*_SHOULDERS, *_HIPS):
        if seen[:, joint].any():
            xy[:, joint] = _through_time(xy[:, joint], seen[:, joint], times)
        else:
            xy[:, joint] = middle
    between = xy[:, list(_SHOULDERS)].mean(1)
    for joint, anchor in ((_NOSE, between), *((joint, xy[:, near]) for joint, near in _LIMBS)):
        if seen[:, joint].any():
            xy[:, joint] = anchor + _through_time(xy[:, joint] - anchor, seen[:, joint], times)
        else:
            xy[:, joint] = anchor
    return replace(track, keypoints=np.concatenate([xy, track.keypoints[..., 2:]], -1).astype(np.float32))


def _through_time(
    values: NDArray[np.float64], known: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 2) values, interpolated linearly between the known ones and constant before and after them."""
    return np.stack([np.interp(times, times[known], axis) for axis in values[known].T], -1)
