"""Place keypoints that a detector left out.

OpenPose leaves out keypoints with a low score, such as an ear on the far side or a wrist behind the back. A
lifter reads every keypoint of every frame, so each needs a position.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from ..people import FEET
from .track import Track

_TRUNK = 0.5  # metres from shoulders to hips
_HIP_BREADTH = 0.6  # of that of the shoulders
_LENGTHS = {
    (COCO17.index(side + one), COCO17.index(other_side + other)): metres
    for one, other, metres in (
        ("shoulder", "elbow", 0.29),
        ("elbow", "wrist", 0.25),
        ("shoulder", "hip", 0.5),
        ("hip", "knee", 0.43),
        ("knee", "ankle", 0.42),
    )
    for side, other_side in (("l", "l"), ("r", "r"))
} | {COCO17.indices("lshoulder", "rshoulder"): 0.34, COCO17.indices("lhip", "rhip"): 0.21}
"""Metres of an adult's bones."""
_HANGING = {
    COCO17.index(side + name): metres
    for side in "lr"
    for name, metres in (("elbow", 0.29), ("wrist", 0.25), ("knee", 0.43), ("ankle", 0.42))
}
"""Metres from each joint of a limb up to its neighbour."""
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
    neighbour, so that a hidden wrist moves with its elbow. Shoulders, hips and limbs of which neither side is
    ever seen are put where a standing person of the same size has them. Of one side, a keypoint that is never
    seen is put on its neighbour, a shoulder or hip on its counterpart. Heels and toes are interpolated beside
    their ankle; those that are never seen are put on it.

    Args:
        track: The person.
        times: (n,) seconds of the track's frames.
    """
    xy, seen = track.keypoints[..., :2].astype(np.float64), track.keypoints[..., 2] > 0
    if not seen.all() and seen.any(1).all():
        _place_body(xy, seen, times)
        keypoints = np.concatenate([xy, track.keypoints[..., 2:]], -1).astype(np.float32)
        track = replace(track, keypoints=keypoints)
    return track if track.extra is None else replace(track, extra=_placed_feet(track, track.extra, times))


def _place_body(xy: NDArray[np.float64], seen: NDArray[np.bool_], times: NDArray[np.float64]) -> None:
    """Place COCO's keypoints that were not seen, in `xy`."""
    scale = _pixels_per_metre(xy, seen)
    down = scale * _down(xy, seen)
    _place_trunk(xy, seen, times, down)
    between = xy[:, list(_SHOULDERS)].mean(1)
    for joint, anchor in ((_NOSE, between), *((joint, xy[:, near]) for joint, near in _LIMBS)):
        if seen[:, joint].any():
            xy[:, joint] = anchor + _through_time(xy[:, joint] - anchor, seen[:, joint], times)
        elif seen[:, COCO17.mirror[joint]].any():
            xy[:, joint] = anchor
        else:
            xy[:, joint] = anchor + _HANGING.get(joint, 0.0) * down


def _placed_feet(track: Track, extra: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float32]:
    """The further keypoints, with those of feet that were not seen near their ankles."""
    placed = extra.copy()
    for place, name in enumerate(track.extra_names):
        seen = extra[:, place, 2] > 0
        if name not in FEET or seen.all():
            continue
        ankle = track.keypoints[:, COCO17.index(name[0] + "ankle"), :2].astype(np.float64)
        offset = extra[:, place, :2] - ankle
        placed[:, place, :2] = ankle + (_through_time(offset, seen, times) if seen.any() else 0)
    return placed


def _place_trunk(
    xy: NDArray[np.float64], seen: NDArray[np.bool_], times: NDArray[np.float64], down: NDArray[np.float64]
) -> None:
    """Place shoulders and hips, in `xy`. `down`: one metre downwards, in pixels."""
    middle = (xy * seen[..., None]).sum(1) / seen.sum(1)[:, None]
    trunk = np.array([*_SHOULDERS, *_HIPS])
    ever: NDArray[np.bool_] = np.any(seen[:, trunk], 0)
    for joint in trunk[ever]:
        xy[:, joint] = _through_time(xy[:, joint], seen[:, joint], times)
    for pair in (_SHOULDERS, _HIPS):
        for joint, twin in (pair, pair[::-1]):
            if not seen[:, joint].any() and seen[:, twin].any():
                xy[:, joint] = xy[:, twin]
    (left_shoulder, right_shoulder), (left_hip, right_hip) = _SHOULDERS, _HIPS
    if not ever[:2].any():
        centre = xy[:, list(_HIPS)].mean(1) - _TRUNK * down if ever[2:].any() else middle
        half = (xy[:, left_hip] - xy[:, right_hip]) / _HIP_BREADTH / 2 if ever[2:].any() else 0.0
        xy[:, left_shoulder], xy[:, right_shoulder] = centre + half, centre - half
    if not ever[2:].any():
        centre = xy[:, list(_SHOULDERS)].mean(1) + _TRUNK * down
        half = (xy[:, left_shoulder] - xy[:, right_shoulder]) * _HIP_BREADTH / 2
        xy[:, left_hip], xy[:, right_hip] = centre + half, centre - half


def _pixels_per_metre(xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> float:
    """How large a person is in the picture: by the bone that is least foreshortened."""
    scale = 0.0
    for (one, other), metres in _LENGTHS.items():
        both = seen[:, one] & seen[:, other]
        if both.any():
            length = np.median(np.linalg.norm(xy[both, one] - xy[both, other], axis=-1))
            scale = max(scale, float(length) / metres)
    return scale


def _down(xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2,) unit vector along the trunk: half way between down in the picture and from nose to shoulders."""
    below = np.array([0.0, 1.0])
    joints = [_NOSE, *_SHOULDERS]
    known = seen[:, joints].all(1)
    if known.any():
        lean = np.median(xy[known][:, list(_SHOULDERS)].mean(1) - xy[known, _NOSE], axis=0)
        below = below + lean / max(float(np.linalg.norm(lean)), 1e-9)
    length = float(np.linalg.norm(below))
    return below / length if length > 0.1 else np.array([0.0, 1.0])


def _through_time(
    values: NDArray[np.float64], known: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 2) values, interpolated linearly between the known ones and constant before and after them."""
    return np.stack([np.interp(times, times[known], axis) for axis in values[known].T], -1)
