"""VideoPose3D's files: `data_2d_<dataset>_<detector>.npz` and `data_3d_<dataset>.npz`.

`positions_2d` is {subject: {action: [(T, J, 2) pixels, one per camera]}} and `metadata` is
{"num_joints", "keypoints_symmetry": [left joints, right joints]}, mostly with "layout_name".
`positions_3d` is {subject: {action: (T, J, 3) world coordinates, metres}}.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError, one_line
from ...files import replacing
from ...skeleton import SKELETONS, Skeleton
from ...unpickle import load_object_npz

_DIGITS = "0123456789"

Views = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class KeypointFile:
    """Detected keypoints of many recordings.

    Attributes:
        skeleton: The keypoints as the file describes them: how many, and which are left and right. They have
            no names; `known_skeleton` finds the skeleton that has.
        positions: {subject: {action: one (T, J, 2) float32 array per camera, pixels}}. The number of frames
            may differ between cameras. NaN where the detector found no one.
        video_metadata: {video: {"w": width, "h": height}} in files of custom videos, else empty.
    """

    skeleton: Skeleton
    positions: Mapping[str, Mapping[str, Views]]
    video_metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def views(self, subject: str, action: str) -> Views:
        """Return one array per camera.

        Raises:
            InputError: If the file lacks the recording.
        """
        try:
            return self.positions[subject][action]
        except KeyError as error:
            raise InputError(f"no 2D keypoints of {subject} {action!r}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> KeypointFile:
        """Read a file, without executing code from it. Scores of keypoints are left out.

        Raises:
            InputError: If it is not such a file.
        """
        data = load_object_npz(path)
        try:
            metadata = data["metadata"]
            left, right = metadata["keypoints_symmetry"]
            skeleton = Skeleton.without_names(
                str(metadata.get("layout_name", "")),
                int(metadata["num_joints"]),
                tuple(int(i) for i in left),
                tuple(int(i) for i in right),
            )
            positions = {
                str(subject): {
                    str(action): tuple(_view(v, len(skeleton), f"{subject} {action!r}") for v in views)
                    for action, views in actions.items()
                }
                for subject, actions in data["positions_2d"].items()
            }
            return cls(skeleton, positions, metadata.get("video_metadata", {}))
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        except Exception as error:  # a damaged file can hold any objects
            raise InputError(f"{path} is not a file of 2D keypoints ({one_line(error)})") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file as VideoPose3D reads it.

        Raises:
            OutputError: If it cannot be written.
        """
        metadata = {
            "layout_name": self.skeleton.name,
            "num_joints": len(self.skeleton),
            "keypoints_symmetry": [list(self.skeleton.left), list(self.skeleton.right)],
        }
        if self.video_metadata:
            metadata["video_metadata"] = {k: dict(v) for k, v in self.video_metadata.items()}
        positions = {s: {a: list(v) for a, v in actions.items()} for s, actions in self.positions.items()}
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                positions_2d=np.array(positions, dtype=object),
                metadata=np.array(metadata, dtype=object),
            )


def known_skeleton(told: Skeleton) -> Skeleton:
    """Return the skeleton of keypoints whose file gives only a name, their number, and left and right.

    The file's name counts without its digits: "h36m" is "h36m17". A file without a name is recognised by its
    pairs of left and right joints. Pairs of a file with a name are not compared: VideoPose3D's files of
    hourglass detections pair a hip with an ankle, and a shoulder with a wrist.

    Raises:
        UsageError: If no lifter reads such keypoints.
    """
    for skeleton in SKELETONS.values():
        if told.name:
            fits = told.name.rstrip(_DIGITS) == skeleton.name.rstrip(_DIGITS)
        else:
            fits = told.mirror == skeleton.mirror
        if fits and len(skeleton) == len(told):
            return skeleton
    raise UsageError(
        f"no lifter reads {len(told)} keypoints of layout {told.name!r}; known are {', '.join(SKELETONS)}"
    )


def _view(view: Any, joints: int, where: str) -> NDArray[np.float32]:
    if view is None:
        raise InputError(f"{where} has a camera without keypoints")
    array = np.asarray(view)
    if array.ndim != 3 or array.shape[1] != joints or array.shape[2] < 2 or array.dtype.kind != "f":
        raise InputError(
            f"{where}: expected (T, {joints}, 2) keypoints, found {array.dtype.name} of shape {array.shape}"
        )
    return np.ascontiguousarray(array[..., :2], np.float32)


def load_positions_3d(
    path: str | os.PathLike[str], num_joints: int
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Read a `data_3d_*.npz`, without executing code from it.

    Returns:
        {subject: {action: (T, J, 3) world coordinates, metres}}

    Raises:
        InputError: If it is not such a file, or its poses have another number of joints.
    """
    data = load_object_npz(path)
    if not isinstance(data.get("positions_3d"), dict):
        raise InputError(f"{path} is not a file of 3D poses (no positions_3d)")
    out: dict[str, dict[str, NDArray[np.float32]]] = {}
    for subject, actions in data["positions_3d"].items():
        if not isinstance(actions, dict):
            raise InputError(f"{path} is not a file of 3D poses ({subject} holds no actions)")
        out[str(subject)] = {}
        for action, positions in actions.items():
            array = np.asarray(positions)
            if array.ndim != 3 or array.shape[1:] != (num_joints, 3) or array.dtype.kind != "f":
                raise InputError(
                    f"{path}: {subject} {action!r}: expected (T, {num_joints}, 3) numbers, "
                    f"found {array.dtype.name} of shape {array.shape}"
                )
            out[str(subject)][str(action)] = array.astype(np.float32, copy=False)
    return out


def save_positions_3d(
    path: str | os.PathLike[str], positions: Mapping[str, Mapping[str, NDArray[np.float32]]]
) -> None:
    """Write a `data_3d_*.npz` as VideoPose3D reads it.

    Raises:
        OutputError: If it cannot be written.
    """
    plain = {subject: dict(actions) for subject, actions in positions.items()}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, positions_3d=np.array(plain, dtype=object))


def select(available: Sequence[str], wanted: Sequence[str] | None, what: str) -> list[str]:
    """Return the wanted names in the order given, or all.

    Raises:
        InputError: If a name is not available.
    """
    for name in wanted or ():
        if name not in available:
            raise InputError(f"no {what} {name!r}; there are {', '.join(sorted(set(available)))}")
    return list(available if wanted is None else wanted)
