"""Motion-capture tables: many clips in Human3.6M's 17 joints plus the two ears, as one plain `.npz`.

The file holds `delta` (57, S) int16 (millimetres; differences along time inside each clip, joint-major, which
compresses twice as well), `length` (C,), `fps`, and per clip `name`, `subject`, `action`, `source`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, OutputError
from ...files import replacing
from ...skeleton import H36M17

STORED_JOINTS = (*H36M17.names, "lear", "rear")
NUM_STORED_JOINTS = len(STORED_JOINTS)
_LEFT_EAR, _RIGHT_EAR, _NOSE = 17, 18, 9


@dataclass(frozen=True)
class MotionCapture:
    """Clips of motion, end to end.

    positions: (S, 19, 3) float32, world coordinates, metres, z up; H36M17 joints, then left and right ear.
    lengths: (C,) frames of each clip, adding up to S. rate: frames a second.
    names, subjects, actions, sources: one string a clip.
    Raises `ValueError` where they disagree.
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
            raise ValueError(f"expected (S, {NUM_STORED_JOINTS}, 3) positions, got {self.positions.shape}")
        if (self.lengths < 1).any() or self.lengths.sum() != len(self.positions):
            raise ValueError("clip lengths must be positive and add up to the number of frames")
        if any(len(v) != len(self.lengths) for v in (self.names, self.subjects, self.actions, self.sources)):
            raise ValueError("every clip needs a name, a subject, an action and a source")
        if not self.rate > 0:
            raise ValueError("the frame rate must be positive")

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(C,) first frame of each clip."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def minutes(self) -> float:
        """How long all clips are together."""
        return len(self.positions) / self.rate / 60

    def clip(self, index: int) -> NDArray[np.float32]:
        """(T, 19, 3) of one clip."""
        start = self.starts[index]
        return self.positions[start : start + self.lengths[index]]

    def select(self, clips: Sequence[int]) -> MotionCapture:
        """The named clips, in the order given. Raises `ValueError` for none."""
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
        """Read a motion-capture table; nothing in it is executed. Raises `InputError`."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                lengths = archive["length"].astype(np.int64)
                delta = archive["delta"]
                if delta.shape != (NUM_STORED_JOINTS * 3, lengths.sum()):
                    raise ValueError(f"delta is {delta.shape}, the clips add up to {lengths.sum()} frames")
                return cls(
                    _integrate(delta, lengths),
                    lengths,
                    float(archive["fps"]),
                    *(tuple(str(v) for v in archive[k]) for k in ("name", "subject", "action", "source")),
                )
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file") from error
        except Exception as error:  # numpy and zipfile raise many kinds for a damaged file
            raise InputError(f"{path} is not a motion-capture table ({error})") from error

    def save(self, path: str | os.PathLike[str], *, notice: str = "") -> None:
        """Write the table; `notice`: where the motion is from and what may be done with it.

        Positions are kept to the millimetre. Raises `OutputError` where the file cannot be written, or a clip
        begins more than 32 m from the origin, where it should begin.
        """
        delta = _differentiate(self.positions, self.lengths)
        if np.abs(delta).max() > np.iinfo(np.int16).max:
            raise OutputError(f"cannot write {path}: a clip begins, or leaps, more than 32 m from the origin")
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
    """COCO's nose tip, left eye and right eye, from the stored nose and ears.

    positions: (…, 19, 3) → (…, 3, 3), metres. Human3.6M's nose is a point inside the face, 6.5 cm before and
    3.5 cm below the line between the ears on a head whose ears are 15 cm apart; the three surface points are
    placed on that rigid head and scaled with it.
    """
    nose, left_ear, right_ear = (positions[..., i, :] for i in (_NOSE, _LEFT_EAR, _RIGHT_EAR))
    middle = (left_ear + right_ear) / 2
    across = left_ear - right_ear
    breadth = np.linalg.norm(across, axis=-1, keepdims=True)
    across = across / breadth
    scale = breadth / 0.15
    # The nose's direction leans down from straight ahead by the angle its offset makes.
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
