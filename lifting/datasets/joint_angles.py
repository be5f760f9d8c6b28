"""Motion of a skeleton with joint angles, and the positions of its joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Motion:
    """A skeleton in motion, in the axes of its file.

    Attributes:
        names: The joints' names; parents come before their children.
        parents: The index of each joint's parent, -1 for the root.
        positions: (T, J, 3) metres.
        rotations: (T, J, 3, 3), from a joint's axes to the file's.
        rate: Frames a second.

    Raises:
        ValueError: If these disagree.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    positions: NDArray[np.float64]
    rotations: NDArray[np.float64]
    rate: float

    def __post_init__(self) -> None:
        joints = len(self.names)
        if len(self.parents) != joints or len(set(self.names)) != joints:
            raise ValueError("every joint needs a parent, and a name of its own")
        frames = len(self.positions)
        if self.positions.shape != (frames, joints, 3) or self.rotations.shape != (frames, joints, 3, 3):
            raise ValueError(
                f"positions {self.positions.shape} and rotations {self.rotations.shape} disagree"
            )
        if not np.isfinite(self.positions).all():
            raise ValueError("a position is not finite")
        if not self.rate > 0:
            raise ValueError("the frame rate must be positive")

    def __len__(self) -> int:
        return len(self.positions)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def position(self, name: str) -> NDArray[np.float64]:
        """Return a joint's positions, (T, 3).

        Raises:
            KeyError: If there is no joint of that name.
        """
        return self.positions[:, self._index(name)]

    def rotation(self, name: str) -> NDArray[np.float64]:
        """Return a joint's rotations, (T, 3, 3).

        Raises:
            KeyError: If there is no joint of that name.
        """
        return self.rotations[:, self._index(name)]

    def _index(self, name: str) -> int:
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None


def euler_rotation(axes: str, radians: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return rotations about several axes in turn, each about the axes as rotated so far.

    Args:
        axes: Up to three of "x", "y" and "z", such as "zxy"; "" is no rotation.
        radians: The angles.

    Raises:
        ValueError: If two axes in succession are the same.

    Shape:
        radians: (…, len(axes)).
        result: (…, 3, 3).
    """
    if not axes:
        return np.broadcast_to(np.eye(3), (*radians.shape[:-1], 3, 3))
    return np.asarray(Rotation.from_euler(axes.upper(), radians).as_matrix(), np.float64)


def compose(
    parents: Sequence[int], rotations: NDArray[np.float64], translations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute positions and rotations in the file's axes from those in each parent's axes.

    Args:
        parents: The index of each joint's parent, before it; -1 for the root.
        rotations: In the parent's axes.
        translations: In the parent's axes.

    Returns:
        Positions and rotations.

    Shape:
        rotations: (T, J, 3, 3).
        translations: (T, J, 3).
    """
    turned = np.empty_like(rotations)
    placed = np.empty_like(translations)
    for joint, parent in enumerate(parents):
        if parent < 0:
            turned[:, joint], placed[:, joint] = rotations[:, joint], translations[:, joint]
        else:
            offset = np.einsum("tij,tj->ti", turned[:, parent], translations[:, joint])
            placed[:, joint] = placed[:, parent] + offset
            np.matmul(turned[:, parent], rotations[:, joint], out=turned[:, joint])
    return placed, turned
