"""Make motion-capture tables of poses. The ears, which poses lack, are estimated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..lifting.datasets.motion_capture import NUM_STORED_JOINTS, MotionCapture
from ..skeleton import H36M17, HUMANEVA15

_EAR_SIDE, _EAR_BACK, _EAR_UP = 0.075, 0.065, 0.035  # metres from the nose of Human3.6M's skeleton

Take = tuple[str, str, NDArray[np.floating]]
"""A person's name, the name of the action, and the joints: (T, 17, 3) world, metres, z up."""


def motion_of(takes: Sequence[Take], rate: float, source: str) -> MotionCapture:
    """Make a motion-capture table of takes. Each take is moved so that it begins above the origin.

    Raises:
        InputError: There are no takes.
    """
    if not takes:
        raise InputError(f"{source}: no person to learn from")
    clips = [with_ears(points - points[0, 0] * [1, 1, 0]) for _, _, points in takes]
    return MotionCapture(
        np.concatenate(clips),
        np.array([len(clip) for clip in clips]),
        rate,
        *(tuple(names) for names in zip(*((f"{s} {a}", s, a, source) for s, a, _ in takes), strict=True)),
    )


def with_ears(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Add the ears, estimated from the nose and the direction of the head: (T, 17, 3) → (T, 19, 3)."""
    thorax, nose, head = (points[:, H36M17.index(name)] for name in ("thorax", "nose", "head"))
    up = _unit(head - thorax)
    ahead = nose - thorax
    forward = _unit(ahead - (ahead * up).sum(1, keepdims=True) * up)
    left = np.cross(up, forward)
    middle = nose - _EAR_BACK * forward + _EAR_UP * up
    ears = [middle + _EAR_SIDE * left, middle - _EAR_SIDE * left]
    out = np.concatenate([points, np.stack(ears, 1)], 1).astype(np.float32)
    assert out.shape[1] == NUM_STORED_JOINTS
    return out


def with_constant_bones(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Set every bone of (T, 17, 3) points to its median length over time and over both sides."""
    usual = np.median(bone_lengths(points), 0)
    usual = (usual + usual[[joint - 1 for joint in H36M17.mirror[1:]]]) / 2
    out = np.array(points, np.float64)
    for joint, parent in H36M17.bones:  # parents come before their children
        out[:, joint] = out[:, parent] + usual[joint - 1] * _unit(points[:, joint] - points[:, parent])
    return out.astype(np.float32)


def humaneva_to_h36m(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convert HumanEva's joints to Human3.6M's: (T, 15, 3) → (T, 17, 3).

    HumanEva has no spine and no nose, and its head joint is the middle of the head. The spine is placed
    midway between pelvis and thorax. The nose is placed in front of the head, at right angles to the
    shoulders.
    """
    names = dict(zip(HUMANEVA15.names, np.moveaxis(np.asarray(points, np.float64), 1, 0), strict=True))
    names |= {"hip": names["pelvis"], "rfoot": names["rankle"], "lfoot": names["lankle"]}
    names["spine"] = (names["pelvis"] + names["thorax"]) / 2
    up = _unit(names["head"] - names["thorax"])
    forward = _unit(np.cross(names["lshoulder"] - names["rshoulder"], up))
    names["nose"] = names["head"] + _EAR_BACK * forward - _EAR_UP * up
    names["head"] = names["head"] + 0.1 * up  # to the crown
    return np.stack([names[name] for name in H36M17.names], 1)


def bone_lengths(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the lengths of the bones: (T, 17, 3) → (T, 16), metres. Index j − 1 is the bone of joint j."""
    child, parent = (list(ends) for ends in zip(*H36M17.bones, strict=True))
    lengths: NDArray[np.float64] = np.linalg.norm(pose[:, child] - pose[:, parent], axis=-1)
    return lengths


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-6)
    return unit
