"""Motion-capture tables: many clips with Human3.6M's 17 joints and the two ears, in one plain `.npz`.

The file holds `delta` (57, S) int16, `length` (C,) frames of each clip, `fps`, and for each clip `name`,
`subject`, `action` and `source`. `delta` is in millimetres: differences over time inside each clip, joint by
joint, which compresses twice as well as positions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...bounded import open_npz
from ...errors import OutputError
from ...files import replacing
from ...skeleton import H36M17

STORED_JOINTS = (*H36M17.names, "lear", "rear")
NUM_STORED_JOINTS = len(STORED_JOINTS)
_NOSE, _LEFT_EAR, _RIGHT_EAR = (STORED_JOINTS.index(name) for name in ("nose", "lear", "rear"))


@dataclass(frozen=True)
class MotionCapture:
    """Clips of motion, one after another.

    Attributes:
        positions: (S, 19, 3) float32, world coordinates, metres, z up; H36M17 joints, left and right ear.
        lengths: (C,) frames of each clip; they add up to S.
        rate: Frames a second.
        names: Of each clip.
        subjects: The person of each clip.
        actions: What each clip shows; "" if not known.
        sources: Where each clip is from.

    Raises:
        ValueError: If these disagree.
    """

    positions: NDArray[np.float32]
    lengths: NDArray[np.int64]
    rate: float
    names: tuple[str, ...]
    subjects: tuple[str, ...]
    actions: tuple[str, ...]
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.positions.ndim != 3 or self.positions.shape[1:] != (NUM_STORED_JOINTS, 3):
            raise ValueError(f"expected (S, {NUM_STORED_JOINTS}, 3) positions, found {self.positions.shape}")
        if (self.lengths < 1).any() or self.lengths.sum() != len(self.positions):
            raise ValueError("clip lengths must be positive and add up to the number of frames")
        if any(len(v) != len(self.lengths) for v in (self.names, self.subjects, self.actions, self.sources)):
            raise ValueError("every clip needs a name, a subject, an action and a source")
        if not 0 < self.rate < np.inf:
            raise ValueError("the frame rate must be positive")

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(C,) first frame of each clip."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def minutes(self) -> float:
        """The length of all clips together."""
        return len(self.positions) / self.rate / 60

    def clip(self, index: int) -> NDArray[np.float32]:
        """Return the positions of one clip, (T, 19, 3)."""
        start = self.starts[index]
        return self.positions[start : start + self.lengths[index]]

    def select(self, clips: Sequence[int]) -> MotionCapture:
        """Return a table of some clips, in the order given.

        Raises:
            ValueError: If no clip is given.
        """
        if not len(clips):
            raise ValueError("no clip selected")
        return MotionCapture(
            np.concatenate([self.clip(i) for i in clips]),
            self.lengths[list(clips)],
            self.rate,
            *(tuple(v[i] for i in clips) for v in (self.names, self.subjects, self.actions, self.sources)),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MotionCapture:
        """Read a motion-capture table, without executing code from it.

        Raises:
            InputError: If it is not a motion-capture table.
        """
        with open_npz(path, "a motion-capture table") as archive:
            lengths = archive["length"].astype(np.int64)
            delta = archive["delta"]
            if lengths.ndim != 1 or delta.shape != (NUM_STORED_JOINTS * 3, lengths.sum()):
                raise ValueError(f"delta is {delta.shape}, the clips add up to {lengths.sum()} frames")
            if delta.dtype.kind not in "iu" or delta.dtype.itemsize > 2:
                raise ValueError(f"delta is {delta.dtype}; expected int16")
            if (lengths < 1).any():
                raise ValueError("clip lengths must be positive")
            return cls(
                _integrate(delta, lengths),
                lengths,
                float(archive["fps"]),
                *(tuple(str(v) for v in archive[k]) for k in ("name", "subject", "action", "source")),
            )

    def save(self, path: str | os.PathLike[str], *, notice: str = "") -> None:
        """Write the table. Positions are rounded to the millimetre.

        Args:
            path: The file to write.
            notice: Where the motion is from, and what may be done with it.

        Raises:
            OutputError: If the file cannot be written, or a clip begins more than 32 m from the origin, or a
                joint moves more than 32 m between two frames.
        """
        delta = _differentiate(self.positions, self.lengths)
        if np.abs(delta).max() > np.iinfo(np.int16).max:
            raise OutputError(
                f"cannot write {path}: a clip begins more than 32 m from the origin, or moves so in a frame"
            )
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                delta=delta.astype(np.int16),
                length=self.lengths.astype(np.int32),
                fps=np.float32(self.rate),
                name=np.array(self.names, np.str_),
                subject=np.array(self.subjects, np.str_),
                action=np.array(self.actions, np.str_),
                source=np.array(self.sources, np.str_),
                joints=np.array(STORED_JOINTS),
                parents=np.array(H36M17.parents, np.int8),
                meta=np.array(notice),
            )


def _differentiate(positions: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `_integrate`: metres (S, 19, 3) → (57, S) millimetres."""
    millimetres = np.rint(positions.astype(np.float64) * 1000).astype(np.int64)
    delta = np.diff(millimetres.reshape(len(millimetres), -1), axis=0, prepend=0)
    starts = np.cumsum(lengths) - lengths
    delta[starts] = millimetres.reshape(len(millimetres), -1)[starts]
    return np.ascontiguousarray(delta.T)


def _integrate(delta: NDArray[np.int16], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Differences along time inside each clip → positions in metres, (S, 19, 3)."""
    total = np.cumsum(delta.T.astype(np.int64), axis=0)
    starts = np.cumsum(lengths) - lengths
    before = np.concatenate([np.zeros((1, total.shape[1]), np.int64), total])[starts]
    total -= np.repeat(before, lengths, axis=0)
    return (total / 1000).astype(np.float32).reshape(-1, NUM_STORED_JOINTS, 3)


def coco_face(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Estimate COCO's nose tip, left eye and right eye from the stored nose and ears.

    Human3.6M's nose is a point inside the face. On a head whose ears are 15 cm apart it is 6.5 cm in front of
    the line between the ears, and 3.5 cm below it. The three points on the surface are placed on that rigid
    head, which is scaled by the distance of the ears.

    Shape:
        positions: (…, 19, 3), metres.
        result: (…, 3, 3).
    """
    nose, left_ear, right_ear = (positions[..., i, :] for i in (_NOSE, _LEFT_EAR, _RIGHT_EAR))
    middle = (left_ear + right_ear) / 2
    across = left_ear - right_ear
    breadth = np.linalg.norm(across, axis=-1, keepdims=True)
    across = across / breadth
    scale = breadth / 0.15
    # The angle by which the direction from the midpoint of the ears to the nose points downwards.
    towards_nose = nose - middle
    towards_nose = towards_nose / np.linalg.norm(towards_nose, axis=-1, keepdims=True)
    normal = np.cross(towards_nose, across)
    lean = np.arctan2(0.035, 0.065)
    forward = np.cos(lean) * towards_nose + np.sin(lean) * normal
    upward = -np.sin(lean) * towards_nose + np.cos(lean) * normal
    points = []
    for left, up, ahead in ((0.0, -0.020, 0.100), (0.032, 0.015, 0.083), (-0.032, 0.015, 0.083)):
        points.append(middle + scale * (left * across + up * upward + ahead * forward))
    return np.stack(points, -2).astype(np.float32)
