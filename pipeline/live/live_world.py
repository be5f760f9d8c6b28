"""Place live poses in a world: z up, the floor at 0. The camera is taken to be level."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from ...lifting.cameras.level import ANKLE_HEIGHT
from ...skeleton import H36M17
from .live_poses import LivePoses

_FRAMES = 150  # whose feet tell where the floor is
_LOW = 10  # per cent of the feet that may be below the floor
_FEET = list(H36M17.indices("lfoot", "rfoot"))


class LiveWorld:
    """Places people in the world: x right and y forward as the camera sees it, z up, metres.

    The floor is where the lowest feet of the last frames are. A person whose root is not known in a frame
    stays where they were.
    """

    def __init__(self) -> None:
        self._lowest: deque[float] = deque(maxlen=_FRAMES)
        self._roots: dict[int, NDArray[np.float32]] = {}

    def joints(self, poses: LivePoses) -> dict[int, NDArray[np.float32]]:
        """Return the joints, (17, 3), of each person by their number; people never placed are left out."""
        placed = {}
        for person in poses.people:
            if np.isfinite(person.root).all():
                self._roots[person.track] = person.root
            if person.track in self._roots:
                x, y, z = (person.pose + self._roots[person.track]).T
                placed[person.track] = np.stack([x, z, -y], 1)
        self._roots = {track: self._roots[track] for track in placed}
        self._lowest.extend(float(joints[_FEET, 2].min()) for joints in placed.values())
        if placed:
            floor = float(np.percentile(self._lowest, _LOW)) - ANKLE_HEIGHT
            for joints in placed.values():
                joints[:, 2] -= floor
        return placed
