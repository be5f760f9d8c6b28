"""The detected keypoints, drawn over the video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..skeleton import COCO17
from .scene import Person
from .strokes import capsules, fill
from .theme import CARD, LEFT, RIGHT, Colour, Picture, mix, track_colour

CONFIDENT = 0.3
"""Keypoints that score less are drawn thin."""

DOUBTFUL = 0.1
"""Keypoints that score less are not drawn."""

# The limbs that are drawn. They differ from the skeleton's tree, which connects the shoulders to the nose.
_FACE = "nose-leye leye-lear nose-reye reye-rear"
_BODY = (
    "lshoulder-rshoulder lhip-rhip lshoulder-lhip rshoulder-rhip lshoulder-lelbow lelbow-lwrist "
    "rshoulder-relbow relbow-rwrist lhip-lknee lknee-lankle rhip-rknee rknee-rankle"
)
_FROM, _TO = np.array(
    [[COCO17.index(name) for name in limb.split("-")] for limb in f"{_FACE} {_BODY}".split()]
).T
_IS_FACE = np.arange(len(_FROM)) < len(_FACE.split())


def _side(first: int, second: int, face: bool) -> Colour | None:
    if face or (first in COCO17.left) != (second in COCO17.left):
        return None  # lines of the face and lines between left and right have no side
    return LEFT if first in COCO17.left else RIGHT


_SIDES = [_side(*limb) for limb in zip(_FROM, _TO, _IS_FACE, strict=True)]

LIMBS = tuple(
    (int(first), int(second), {LEFT: "left", RIGHT: "right", None: ""}[side])
    for first, second, side in zip(_FROM, _TO, _SIDES, strict=True)
)
"""The limbs that are drawn over a video: two COCO17 keypoints, and "left", "right" or ""."""


def draw_keypoints(image: Picture, person: Person, scale: tuple[float, float]) -> None:
    """Draw a person's 2D skeleton onto `image`. Keypoints are multiplied by `scale` (x, y) first."""
    points = person.keypoints[:, :2].astype(np.float64) * scale
    score = np.nan_to_num(person.keypoints[:, 2], nan=0.0)
    radius = _radius(points[score >= DOUBTFUL])
    worst = np.minimum(score[_FROM], score[_TO])
    thickness = radius * np.where(worst >= CONFIDENT, 1.0, 0.5) * np.where(_IS_FACE, 0.5, 1.0)
    drawn = np.flatnonzero(worst >= DOUBTFUL)
    starts, ends, radii = points[_FROM], points[_TO], np.stack([thickness] * 2, 1)
    rim = mix(CARD, track_colour(person.rank), 0.35 if person.filled else 0.0)
    for outline in capsules(starts, ends, radii + max(0.35 * radius, 0.6))[drawn]:
        fill(image, outline, rim)
    paint = 0.55 if person.filled else 0.0
    for index, outline in zip(drawn, capsules(starts, ends, radii)[drawn], strict=True):
        fill(image, outline, mix(_SIDES[index] or track_colour(person.rank), CARD, paint))


def head_top(person: Person, scale: tuple[float, float]) -> tuple[float, float] | None:
    """Return where a label above the head points to, in scaled pixels; None if no keypoint is certain."""
    seen = person.keypoints[person.keypoints[:, 2] >= DOUBTFUL, :2].astype(np.float64) * scale
    if not len(seen) or not np.isfinite(seen).all():
        return None
    tall = np.ptp(seen[:, 1])
    head = seen[seen[:, 1] <= seen[:, 1].min() + 0.15 * tall]
    return float(head[:, 0].mean()), float(seen[:, 1].min() - 0.07 * tall)


def _radius(points: NDArray[np.float64]) -> float:
    """Half the thickness of a limb, in proportion to the person's size, from 1.2 to 6 pixels."""
    if not len(points):
        return 1.0
    with np.errstate(invalid="ignore"):
        tall = float(np.nan_to_num(np.ptp(points, axis=0).max(), posinf=0))
    return min(max(0.0105 * tall, 1.2), 6.0)
