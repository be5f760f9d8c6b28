"""Lifting what a camera films while it films."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import SKELETONS
from ..cameras.intrinsics import Intrinsics
from ..network.fused_model import Precision
from .lifter import Lifter
from .offline import lift_in, seen_by
from .streaming import Streamer


class LiveLifter:
    """A causal lifter that is fed keypoints frame by frame, at about the rate it was trained at.

    camera: that films, without distortion. size: width, height of its frames. people: how many there are
    places for. flip: average with the prediction for the mirrored person. precision: see `folded.Precision`.
    Raises `UsageError` for a lifter that looks into the future or reads other keypoints than a video's.
    """

    def __init__(
        self,
        lifter: Lifter,
        *,
        camera: Intrinsics,
        size: tuple[int, int],
        people: int = 1,
        flip: bool = True,
        precision: Precision = "float32",
    ) -> None:
        self._space = lifter.input_space
        self._see = partial(seen_by, lifter, camera=camera, size=size)
        self._see(np.zeros((people, 17, 3), np.float32))
        skeleton = SKELETONS[lifter.layout] if flip else None
        try:
            self._streamer = Streamer(lifter.model, people=people, flip=skeleton, precision=precision)
        except ValueError as error:
            raise UsageError(f"{error}, such as the lifter causal") from error

    def step(
        self, keypoints: NDArray[np.float32], begins: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """The next frame's keypoints (people, 17, 3), COCO17 in pixels and scores → poses (people, 17, 3),
        H36M17 in camera space, metres, root at 0.

        The numbers are those of `inference.lift_track` on all frames. begins: see `Streamer.step`.
        Raises `ValueError` for another shape.
        """
        return lift_in(self._space, self._see(keypoints), lambda seen: self._streamer.step(seen, begins))
