"""Skeletons with joint angles → joint positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Motion:
    """A skeleton in motion, in its file's axes.

    names: (J,) of the joints; parents come before their children. parents: −1 for the root.
    positions: (T, J, 3) metres. rotations: (T, J, 3, 3) joint axes → the file's axes.
    rate: frames a second.
    Raises `ValueError` where they disagree.
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
        """(T, 3) of a joint. Raises `KeyError` where there is none of that name."""
        return self.positions[:, self._index(name)]

    def rotation(self, name: str) -> NDArray[np.float64]:
        """(T, 3, 3) of a joint. Raises `KeyError` where there is none of that name."""
        return self.rotations[:, self._index(name)]

    def _index(self, name: str) -> int:
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None


def axis_rotation(axis: str, radians: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Turns about "x", "y" or "z" by (…,) angles → (…, 3, 3) matrices."""
    angle = np.asarray(radians, np.float64)
    i = "xyz".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    out = np.zeros((*angle.shape, 3, 3))
    out[..., i, i] = 1
    out[..., j, j] = out[..., k, k] = np.cos(angle)
    out[..., k, j] = np.sin(angle)
    out[..., j, k] = -out[..., k, j]
    return out


def euler_rotation(axes: str, radians: NDArray[np.floating]) -> NDArray[np.float64]:
    """Turns about each of `axes` in turn, each about the axes as turned so far: (…, A) → (…, 3, 3)."""
    out = np.broadcast_to(np.eye(3), (*radians.shape[:-1], 3, 3))
    for i, axis in enumerate(axes):
        out = out @ axis_rotation(axis, radians[..., i])
    return out


def compose(
    parents: Sequence[int], rotations: NDArray[np.float64], translations: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Local → global: each joint's place in its parent's axes, all frames at once.

    rotations: (T, J, 3, 3) and translations: (T, J, 3), in the parent's axes; parents come before children.
    Returns positions (T, J, 3) and rotations (T, J, 3, 3).
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
