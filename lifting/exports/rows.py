"""Joint positions as rows, one a person, frame and joint, which CSV and JSON have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...skeleton import H36M17
from ..world.feet import PARTS
from .motion import Motion
from .style import Style

_FEET = tuple(side + part for side in "lr" for part in PARTS)


def joint_names(motion: Motion) -> tuple[str, ...]:
    """Return the names of a person's joints: Human3.6M's, and heels and toes if the detector found them."""
    return H36M17.names if motion.feet is None else (*H36M17.names, *_FEET)


def columns(style: Style) -> tuple[str, ...]:
    """Return the columns' names; lengths have their unit in the name."""
    unit = style.units
    return ("track", "frame", "time", "joint", f"x_{unit}", f"y_{unit}", f"z_{unit}", "confidence")


def rows(
    motions: Sequence[Motion], style: Style
) -> Iterator[tuple[int, int, float, str, float, float, float, float]]:
    """Yield a row for each joint of each frame in which a person has a pose; joints that are NaN have none.

    Frames count from 0 at the video's first frame; times are seconds since then; confidence is 0–1.
    """
    for motion in motions:
        points, confidence = style.from_world(motion.joints), motion.confidence
        if motion.feet is not None:
            feet = style.from_world(motion.feet.positions).reshape(len(points), len(_FEET), 3)
            points = np.concatenate([points, feet], 1)
            confidence = np.concatenate([confidence, motion.feet.confidence.reshape(len(points), -1)], 1)
        for index in np.flatnonzero(motion.present):
            frame, time = int(motion.frames[index]), round(float(motion.times[index]), 6)
            for joint, name in enumerate(joint_names(motion)):
                if np.isnan(points[index, joint, 0]):
                    continue
                x, y, z = (round(float(value), 5) for value in points[index, joint])
                yield motion.id, frame, time, name, x, y, z, round(float(confidence[index, joint]), 3)
