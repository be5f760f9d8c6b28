"""Keypoints that a detector did not find on a person whom it did find.

OpenPose leaves out what it is not sure of: an ear on the far side, a wrist behind the back. A lifter reads
every keypoint of every frame, so each needs a place.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from .tracks import Track

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
    """Put keypoints that score 0 where they probably are; they still score 0.

    times: (n,) seconds of the track's frames. Shoulders and hips go straight from where they were seen to
    where they are seen next. The others do so relative to a neighbour, so that a hidden wrist moves with its
    elbow. What is never seen is put on its neighbour, a shoulder or hip in the middle of what is seen.
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
    """(n, 2) values: the known ones, straight between them, and held before the first and after the last."""
    return np.stack([np.interp(times, times[known], axis) for axis in values[known].T], -1)
