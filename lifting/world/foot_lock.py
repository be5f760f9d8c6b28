"""Hold feet still while they stand, by moving the root and bending the legs (inverse kinematics)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...skeleton import H36M17
from ..pose_table import PoseTable
from ..vectors import unit
from .filters import butterworth
from .place import contact_of
from .segments import unbroken

_LEGS = [[H36M17.index(side + name) for name in ("hip", "knee", "foot")] for side in "lr"]
_BLEND = 0.2  # seconds before and after a contact in which the shift of a foot fades in and out
_ROOT_CALM = 3.0  # Hz: cut-off of the low-pass filter on the shift of the root
_REACH = 0.999  # of the length of thigh and shank: the longest distance from hip to ankle


def lock_feet(table: PoseTable) -> PoseTable:
    """Hold the planted feet of all people still.

    A foot in contact (`table.contact` above 0.5) stays at the median of its positions during the contact. A
    foot whose contact is not known is free. If the table has no contacts, they are found first. The root gets
    the mean shift of the feet in contact. Then hip and knee are bent until the ankle is at its place. Bones
    keep their lengths, and all other joints move with the root.

    Args:
        table: poses, roots and cameras in the world.

    Returns:
        The table with changed `pose` and `root`, and `meta["lock_feet"]` true.
    """
    joints = table.world().astype(np.float64)
    contact = table.contact
    if np.isnan(contact).all():
        contact = contact_of(table)
    for _, rows in table.tracks():
        times = table.time[table.frame[rows]]
        known = np.asarray(np.isfinite(joints[rows]).all((1, 2)))
        for run in unbroken(times, known):
            part = slice(rows.start + run.start, rows.start + run.stop)
            joints[part] = lock_joints(joints[part], contact[part] > 0.5, times[run])
    locked = table.with_world(joints)
    return replace(locked, contact=contact, meta={**table.meta, "lock_feet": True})


def lock_joints(
    joints: NDArray[np.float64], standing: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Hold one person's planted feet still.

    Args:
        joints: (T, 17, 3) H36M17 in the world, metres, without gaps.
        standing: (T, 2), whether the left and the right foot stand.
        times: (T,) seconds.

    Returns:
        (T, 17, 3).
    """
    if not standing.any():
        return joints
    ankles = joints[:, [leg[2] for leg in _LEGS]]
    offsets = np.stack([_offsets(ankles[:, foot], standing[:, foot], times) for foot in (0, 1)], 1)
    # The weight of each foot in the root's shift changes gradually, so that the root does not jump.
    share = np.stack([_blend(standing[:, foot], times) for foot in (0, 1)], 1)[..., None]
    common = (share * offsets).sum(1) / np.maximum(share.sum(1), 1e-9)
    common *= np.minimum(share.max(1), 1)
    common = butterworth(common, times, _ROOT_CALM)
    moved = joints + common[:, None]
    targets = ankles + offsets
    for foot, leg in enumerate(_LEGS):
        moved[:, leg[1:]] = reach(moved[:, leg], targets[:, foot])
    return moved


def reach(leg: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move ankles to their targets by turning thigh and shank; the knee stays on the same side of the leg.

    Args:
        leg: (T, 3, 3) hip, knee and ankle.
        target: (T, 3) the wanted position of the ankle. If it is too far away, the leg is stretched
            towards it.

    Returns:
        (T, 2, 3) knee and ankle; the hip and the lengths of thigh and shank stay.
    """
    hip, knee, ankle = leg[:, 0], leg[:, 1], leg[:, 2]
    thigh, shank = (np.linalg.norm(b - a, axis=-1, keepdims=True) for a, b in ((hip, knee), (knee, ankle)))
    way = target - hip
    length = np.linalg.norm(way, axis=-1, keepdims=True)
    longest = np.maximum(_REACH * (thigh + shank), np.linalg.norm(ankle - hip, axis=-1, keepdims=True))
    reached = np.clip(length, np.abs(thigh - shank) + 1e-6, longest)
    along = way / np.maximum(length, 1e-9)
    # Direction of the knee: the part of the thigh at right angles to the line from hip to ankle.
    before = unit(ankle - hip)
    side = (knee - hip) - ((knee - hip) * before).sum(-1, keepdims=True) * before
    side = side - (side * along).sum(-1, keepdims=True) * along
    forward = (thigh**2 - shank**2 + reached**2) / (2 * reached)
    across = np.sqrt(np.maximum(thigh**2 - forward**2, 0))
    new_knee = hip + forward * along + across * unit(side)
    return np.stack([new_knee, hip + reached * along], 1)


def _offsets(
    ankle: NDArray[np.float64], standing: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the shift of the ankle on every frame, (T, 3): to its spot during contact, fading outside it."""
    offset = np.zeros_like(ankle)
    weight = np.zeros((len(ankle), 1))
    edges = np.flatnonzero(np.diff(standing.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    for start, end in edges:
        spot = np.median(ankle[start:end], 0)
        inside = slice(start, end)
        offset[inside] = spot - ankle[inside]
        weight[inside] = 1
    total, sums = weight.copy(), offset.copy()
    for start, end in edges:  # outside contact: the offsets at the ends of near contacts, faded
        for at, direction in ((start, -1), (end - 1, 1)):
            frames = np.arange(at + direction, len(ankle) if direction > 0 else -1, direction)
            fade = _fade(np.abs(times[frames] - times[at]))
            frames = frames[(fade > 0) & ~standing[frames]]
            fade = _fade(np.abs(times[frames] - times[at]))[:, None]
            sums[frames] += fade * offset[at]
            total[frames] += fade
    return np.asarray(sums / np.maximum(total, 1), np.float64)


def _blend(standing: NDArray[np.bool_], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 during contact, falling to 0 within `_BLEND` seconds."""
    at = times[standing]
    if not len(at):
        return np.zeros(len(times))
    after = np.searchsorted(at, times)
    nearest = np.minimum(
        np.abs(times - at[np.minimum(after, len(at) - 1)]), np.abs(times - at[np.maximum(after - 1, 0)])
    )
    return _fade(nearest)


def _fade(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 at 0 seconds, 0 from `_BLEND` on, smooth at both ends."""
    part = np.clip(1 - seconds / _BLEND, 0, 1)
    return np.asarray(part * part * (3 - 2 * part))
