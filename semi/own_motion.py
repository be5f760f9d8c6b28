"""Use the motion that the starting lifter predicts for a user's videos as labeled motion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import InputError
from ..lifting.datasets.humaneva import chunks
from ..lifting.datasets.motion_capture import MotionCapture
from ..lifting.inference.lifter import Lifter
from ..lifting.inference.resampling import interpolate
from .poses_to_motion import Take, motion_of, with_constant_bones
from .spans import Span

_SHORTEST = 0.5  # seconds of a clip
_RATE = 30.0  # frames per second, if the lifter's frame rate is unknown


def own_motion(spans: Iterable[Span], lifter: Lifter) -> MotionCapture:
    """Return the motion that a lifter predicts for a user's videos, with constant bone lengths.

    Projected through random cameras, this motion gives training samples in which keypoints and poses agree.
    They keep the lifter close to its original predictions while it is adapted to the footage.

    Raises:
        InputError: No person could be lifted for long enough.
    """
    rate = lifter.rate or _RATE
    takes: list[Take] = []
    for span in spans:
        pose, root = span.lifted(lifter)
        good = np.isfinite(root).all(1) & ~span.filled
        for first, last, known in chunks(good):
            if known and last - first > 1 and span.times[last - 1] - span.times[first] >= _SHORTEST:
                times = span.times[first:last]
                grid = np.arange(times[0], times[-1], 1 / rate)
                points = interpolate((pose + root[:, None])[first:last], times, grid)
                # The camera's y axis is taken as the vertical, even if the camera was tilted.
                upright = np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)
                takes.append((f"{span.name} {span.track}", span.name, with_constant_bones(upright)))
    if not takes:
        raise InputError(
            f"no person is seen well enough, for {_SHORTEST:g} seconds, to learn from; give clearer footage"
        )
    return motion_of(takes, rate, "the footage, as the starting lifter sees it")
