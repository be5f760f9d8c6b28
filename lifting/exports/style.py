"""How a file is to be written: what its user may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .axes import METRES, Z_UP_TO_Y_UP

Up = Literal["y", "z"]


@dataclass(frozen=True)
class Style:
    """The choices that a format follows as far as they concern it.

    Attributes:
        units: The unit of lengths: m, cm or mm.
        up: The axis that points up: y or z.
        names: The joint names of animation formats: plain, mixamo or cmu.
        channels: The order of a BVH file's rotation channels: ZXY or ZYX.
        tpose_frame: Whether a BVH file's frame 0 is the T-pose.
        title: What the motion is called, such as the video's name.
    """

    units: str = "m"
    up: Up = "y"
    names: str = "plain"
    channels: Literal["ZXY", "ZYX"] = "ZXY"
    tpose_frame: bool = False
    title: str = "videopose"

    @property
    def per_metre(self) -> float:
        """How many units a metre is."""
        return 1 / METRES[self.units]

    def from_world(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world points (…, 3), z up and in metres, in this style's axes and units."""
        turned = points @ Z_UP_TO_Y_UP.T if self.up == "y" else points
        return turned * self.per_metre

    def from_rig(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points or offsets (…, 3) of the rig, y up and in metres, in this style's axes and units."""
        turned = points if self.up == "y" else points @ Z_UP_TO_Y_UP
        return turned * self.per_metre

    def turn_from_rig(self, quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rotations (…, 4) of the rig, y up, as quaternions x, y, z, w in this style's axes."""
        if self.up == "y":
            return quaternions
        return np.concatenate([quaternions[..., :3] @ Z_UP_TO_Y_UP, quaternions[..., 3:]], -1)
