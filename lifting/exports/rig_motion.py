"""The motion of a rig: constant bones, one rotation a joint and frame, and where the hips are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from .rig import JOINTS, PARENTS, BoneLengths


@dataclass(frozen=True)
class RigMotion:
    """One person's motion as rotations of the rig's joints; space and rest pose as in `rig`.

    Attributes:
        lengths: The person's bone lengths.
        times: (T,) seconds, rising.
        hips: (T, 3), metres, y up: where the hips are in the world.
        rotations: (T, 20, 4) quaternions x, y, z, w: each joint's rotation relative to its parent.

    Raises:
        ValueError: If the shapes disagree.
    """

    lengths: BoneLengths
    times: NDArray[np.float64]
    hips: NDArray[np.float64]
    rotations: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = len(self.times)
        if count < 1 or self.hips.shape != (count, 3) or self.rotations.shape != (count, len(JOINTS), 4):
            raise ValueError(
                f"expected {count} frames of hips and rotations, found {self.hips.shape} and "
                f"{self.rotations.shape}"
            )

    def positions(self) -> NDArray[np.float64]:
        """Return (T, 20, 3): where each joint is in the world, metres, y up."""
        return forward(self.lengths, self.hips, self.world_rotations())

    def world_rotations(self) -> NDArray[np.float64]:
        """Return (T, 20, 4): each joint's rotation in the world, as quaternions x, y, z, w."""
        world: list[Rotation] = []
        for joint, parent in enumerate(PARENTS):
            local = Rotation.from_quat(self.rotations[:, joint])
            world.append(local if parent < 0 else world[parent] * local)
        return np.stack([rotation.as_quat() for rotation in world], 1)

    def at(self, times: NDArray[np.float64]) -> RigMotion:
        """Resample: rotations by slerp, the hips linearly; beyond the ends, the first and last frame."""
        if np.array_equal(times, self.times):
            return self
        if len(self.times) == 1:
            return RigMotion(
                self.lengths,
                times,
                np.repeat(self.hips, len(times), 0),
                np.repeat(self.rotations, len(times), 0),
            )
        inside = np.clip(times, self.times[0], self.times[-1])
        hips = np.stack([np.interp(inside, self.times, self.hips[:, axis]) for axis in range(3)], 1)
        rotations = [
            Slerp(self.times, Rotation.from_quat(self.rotations[:, joint]))(inside).as_quat()
            for joint in range(len(JOINTS))
        ]
        return RigMotion(self.lengths, times, hips, np.stack(rotations, 1))


def forward(
    lengths: BoneLengths, hips: NDArray[np.float64], world_rotations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (T, 20, 3) joint positions: forward kinematics of `world_rotations` (T, 20, 4) from the hips."""
    rest = lengths.rest()
    positions = np.empty((len(hips), len(JOINTS), 3))
    positions[:, 0] = hips
    for joint, parent in enumerate(PARENTS[1:], 1):
        turn = Rotation.from_quat(world_rotations[:, parent])
        positions[:, joint] = positions[:, parent] + turn.apply(rest[joint])
    return positions
