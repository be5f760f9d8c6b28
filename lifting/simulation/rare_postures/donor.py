"""Extract bone lengths and upper-body motion from a clip of a person, to use them with other poses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ....skeleton import H36M17
from ...datasets.motion_capture import MotionCapture
from .inverse_kinematics import Points, unit

PARENTS = (*H36M17.parents, 10, 10)
HIP, RHIP, LHIP, SPINE, THORAX, LSHOULDER, LWRIST, RSHOULDER, RWRIST = 0, 1, 4, 7, 8, 11, 13, 14, 16
_MOST_TWIST = 0.45  # radians of the donor's chest against the pelvis that are kept


def _axes(up: Points, left: Points) -> Rotation:
    """Return axes whose z is along `up` and whose y is as near to `left` as possible."""
    z = unit(up)
    x = unit(np.cross(left, z))
    return Rotation.from_matrix(np.stack([x, np.cross(z, x), z], -1))


def pelvis_axes(positions: Points) -> Rotation:
    """Return the axes of the pelvis for (T, 19, 3) joints: x forward, y left, z towards the spine."""
    return _axes(positions[:, SPINE] - positions[:, HIP], positions[:, LHIP] - positions[:, RHIP])


def chest_axes(positions: Points) -> Rotation:
    """Return the axes of the chest for (T, 19, 3) joints: x forward, y left, z towards the thorax."""
    return _axes(
        positions[:, THORAX] - positions[:, SPINE], positions[:, LSHOULDER] - positions[:, RSHOULDER]
    )


@dataclass(frozen=True)
class Donor:
    """Bone lengths, and the motion of the upper body relative to the pelvis.

    Attributes:
        lengths: (19,) metres from each joint to its parent.
        trunk: (T, 3) rotation vectors of the chest in the axes of the pelvis.
        spine: (T, 3) directions from hip to spine in the axes of the pelvis.
        bones: (T, 11, 3) directions of joints 8 to 18 from their parents, in the axes of the chest.
    """

    lengths: Points
    trunk: Points
    spine: Points
    bones: Points

    @classmethod
    def of(cls, clip: NDArray[np.float32]) -> Donor:
        """Make a donor of a clip (T, 19, 3), world, metres."""
        positions = clip.astype(np.float64)
        vectors = positions - positions[:, [max(p, 0) for p in PARENTS]]
        pelvis, chest = pelvis_axes(positions), chest_axes(positions)
        trunk = (pelvis.inv() * chest).as_rotvec()
        angle = np.linalg.norm(trunk, axis=1, keepdims=True)
        trunk *= _MOST_TWIST * np.tanh(angle / _MOST_TWIST) / np.maximum(angle, 1e-9)
        lengths = np.linalg.norm(vectors, axis=-1).mean(0)
        for left, right in zip(H36M17.left, H36M17.right, strict=True):
            lengths[[left, right]] = lengths[[left, right]].mean()
        bones = np.einsum("tji,tkj->tki", chest.as_matrix(), vectors[:, THORAX:])
        return cls(lengths, trunk, unit(pelvis.inv().apply(vectors[:, SPINE])), unit(bones))

    def __len__(self) -> int:
        return len(self.trunk)

    def paced(self, frames: int, start: float, speed: float) -> Donor:
        """Resample the motion.

        Args:
            frames: Number of frames of the result.
            start: The first frame, not necessarily whole.
            speed: Frames of the clip per frame of the result. At an end of the clip, the direction is
                reversed.
        """
        last = len(self) - 1
        if last:
            there = (start + speed * np.arange(frames)) % (2 * last)
            there = gaussian_filter1d(np.minimum(there, 2 * last - there), 8, mode="nearest")
        else:
            there = np.zeros(frames)
        low = np.minimum(there.astype(np.int64), max(last - 1, 0))
        high = np.minimum(low + 1, last)
        share = (there - low)[:, None]
        bones = (1 - share[..., None]) * self.bones[low] + share[..., None] * self.bones[high]
        # Positions are rounded to millimetres. Slight smoothing removes the effect on accelerations.
        trunk, spine, bones = (
            gaussian_filter1d(v, 1.5, axis=0, mode="nearest")
            for v in (
                (1 - share) * self.trunk[low] + share * self.trunk[high],
                (1 - share) * self.spine[low] + share * self.spine[high],
                bones,
            )
        )
        return Donor(self.lengths, trunk, unit(spine), unit(bones))


def calm_clips(table: MotionCapture) -> NDArray[np.int64]:
    """Return the indices of clips of upright people with slow arms, whose arm motion suits sitting and
    kneeling.

    If there are no such clips, the indices of all clips are returned.
    """
    positions = table.positions.astype(np.float64)
    upright = unit(positions[:, SPINE] - positions[:, HIP])[:, 2] > 0.85
    wrists = positions[:, [LWRIST, RWRIST]] - positions[:, [THORAX]]
    speed = np.linalg.norm(np.diff(wrists, axis=0, append=wrists[-1:]), axis=-1).max(1) * table.rate
    good = upright & (speed < 2.5)
    share = np.add.reduceat(good, table.starts) / table.lengths
    calm = np.flatnonzero((share > 0.93) & (table.lengths >= 1.5 * table.rate))
    return calm if len(calm) else np.arange(len(table))
