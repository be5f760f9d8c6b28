"""Where heels and toes are in 3D, where the detector found them in the picture (`PoseTable.extra`).

A foot is taken as rigid: heel, big toe and small toe have fixed places around the ankle, in proportion to the
shin. Its three angles against the shin are fitted to the keypoints, all frames of a track together
(Gauss–Newton; the frames are coupled only to their neighbours, so each step solves a banded system). What the
picture shows badly, above all how far a foot seen from the side is turned, is decided by how feet usually
are: in line with the knee, at a right angle to the shin, level while they stand. The angles change smoothly;
where heel and toes are hidden they return to the usual ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.spatial.transform import Rotation

from ...skeleton import H36M17
from ..pose_table import PoseTable
from ..vectors import unit

PARTS = ("heel", "bigtoe", "smalltoe")
"""The keypoints of a foot; in `PoseTable.extra_names` "l" or "r" stands before."""

# A foot's axes: x to the body's left, y up the shin, z to the toes. From the ankle of a left foot, in shins:
_OFFSETS = np.array([[0.0, -0.13, -0.13], [-0.08, -0.13, 0.43], [0.08, -0.13, 0.36]])
_SURE = 0.3  # least score of a heel or toe that counts
_NOISE = 0.025  # metres: error of a heel or toe against the ankle; beyond it, errors count less and less
_USUAL = np.radians([20.0, 20.0, 8.0])  # standard deviations of bending, turn and roll against the shin
_TAIL = 4.0  # degrees of freedom: what is far from usual is rare, not impossible (Student's t)
_LEVEL = np.radians(10.0)  # of a foot that stands against the floor
_CHANGE = np.radians(40.0)  # by which the angles change in a second, as a random walk
_HINGE_SHOWS = 0.35  # sine of knee flexion from which the knee's axis counts as much as the line of the hips
_STEPS = 12
_LONGEST_STEP = 0.5  # radians
_TINY = 1e-4  # radians: for differences
_FORESHORTENED, _LONGEST = 0.85, 1.3  # of a foot's usual length: within these the picture shows its length
_LENGTH_AT = 75  # percentile of how long a foot looks: in other frames it is shortened, or errors lengthen it

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Feet:
    """One person's heels and toes in the world.

    Attributes:
        positions: (T, 2, 3, 3) metres: of the left and the right foot heel, big toe and small toe. NaN where
            there is no pose.
        confidence: (T, 2, 3), 0–1: the scores of their keypoints.
    """

    positions: Vectors
    confidence: Vectors

    def __post_init__(self) -> None:
        count = len(self.positions)
        if self.positions.shape != (count, 2, 3, 3) or self.confidence.shape != (count, 2, 3):
            raise ValueError(
                f"expected (T, 2, 3, 3) positions with confidence, found {self.positions.shape} and "
                f"{self.confidence.shape}"
            )

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.integer]) -> Feet:
        """The feet on some frames."""
        return Feet(self.positions[rows], self.confidence[rows])


@dataclass(frozen=True)
class _Sight:
    """One foot in the picture.

    Attributes:
        at: (T, 3, 2) heel, big toe and small toe, from the ankle, as tangents of the angle of view.
        weight: (T, 3), 0–1.
        ray: (T, 2) the ankle's own place, as tangents.
        depth: (T,) the ankle's distance along the camera's axis, metres.
        camera: (T, 3, 3) world ← camera.
        contact: (T,), 0–1, whether the foot stands.
    """

    at: Vectors
    weight: Vectors
    ray: Vectors
    depth: Vectors
    camera: Vectors
    contact: Vectors

    def residuals(self, points: Vectors) -> Vectors:
        """Return (T, 3, 2) metres by which points (T, 3, 3), from the ankle, miss the keypoints."""
        seen = np.einsum("tji,tkj->tki", self.camera, points)
        depth = np.maximum(self.depth[:, None] + seen[..., 2], 0.1)
        across = self.ray[:, None] * self.depth[:, None, None] + seen[..., :2]
        return (across / depth[..., None] - self.ray[:, None] - self.at) * self.depth[:, None, None]


def find_feet(table: PoseTable, rows: slice, joints: Vectors) -> Feet | None:
    """Estimate where one person's heels and toes are.

    Args:
        table: The keypoints, and the cameras.
        rows: The rows of one track.
        joints: (T, 17, 3) the person's joints in the world, metres, z up; NaN where there is no pose.

    Returns:
        The feet on all T frames; None if the detector found no heels and toes of this person.
    """
    if not all(side + part in table.extra_names for side in "lr" for part in PARTS):
        return None
    columns = [[table.extra_names.index(side + part) for part in PARTS] for side in "lr"]
    confidence = table.extra[rows][:, columns, 2].astype(np.float64)
    if not (confidence >= _SURE).any():
        return None
    posed = np.flatnonzero(np.isfinite(joints).all((1, 2)))
    result = np.full((len(joints), 2, 3, 3), np.nan)
    if not len(posed):
        return Feet(result, confidence)
    times = table.time[table.frame[rows]][posed]
    for side, name in enumerate("lr"):
        ankle = joints[posed, H36M17.index(name + "foot")]
        usual, shin = usual_axes(joints[posed], name)
        sight = _sight(table, rows, posed, columns[side], side)
        offsets = _OFFSETS * (1 if name == "l" else (-1, 1, 1)) * shin
        offsets *= _length(sight, offsets)
        turns = usual * _fit(sight, usual, offsets, times)
        result[posed, side] = ankle[:, None] + np.einsum("tij,kj->tki", turns.as_matrix(), offsets)
    return Feet(result, confidence)


def foot_axes(feet: Vectors) -> Vectors:
    """Return the axes of feet: columns to the body's left, up from the sole, and from heel to toes.

    Args:
        feet: (T, 2, 3, 3) as `Feet.positions`, in any right-handed axes.

    Returns:
        (T, 2, 3, 3) rotations; NaN where the feet are NaN.
    """
    heel, big, small = np.moveaxis(feet, 2, 0)
    ahead = unit((big + small) / 2 - heel)
    left = (small - big) * np.array([1, -1])[:, None]
    up = unit(np.cross(ahead, left))
    return np.stack([np.cross(up, ahead), up, ahead], -1)


def usual_axes(joints: Vectors, side: str) -> tuple[Rotation, float]:
    """Return how a foot usually stands to its shin, which is the foot's direction as far as joints tell it.

    Args:
        joints: A person's joints, metres, in any right-handed axes.
        side: "l" or "r".

    Returns:
        The foot's usual axes on every frame, as columns: to the left, up the shin, and ahead; and the median
        length of the shin in metres.

    Shape:
        joints (T, 17, 3); T rotations.
    """
    hip, knee, ankle = (joints[:, H36M17.index(side + name)] for name in ("hip", "knee", "foot"))
    shin, thigh = knee - ankle, hip - knee
    length = float(np.median(np.linalg.norm(shin, axis=-1)))
    across = unit(joints[:, H36M17.index("lhip")] - joints[:, H36M17.index("rhip")])
    hinge = np.cross(unit(thigh), unit(shin))  # to the left if the knee is bent
    bent = np.clip(np.linalg.norm(hinge, axis=-1, keepdims=True) / _HINGE_SHOWS, 0, 1)
    up = unit(shin)
    left = across + bent * unit(hinge)
    ahead = np.cross(left, up)
    aside = np.linalg.norm(ahead, axis=-1) < 1e-6  # the shin lies along the line of the hips
    ahead[aside] = np.cross(up[aside], np.eye(3)[np.abs(up[aside]).argmin(-1)])
    ahead = unit(ahead)
    return Rotation.from_matrix(np.stack([np.cross(up, ahead), up, ahead], -1)), length


def _sight(table: PoseTable, rows: slice, posed: NDArray[np.int64], columns: list[int], side: int) -> _Sight:
    camera = table.intrinsics
    centre, focal = np.array([camera.cx, camera.cy]), np.array([camera.fx, camera.fy])
    found = table.extra[rows][posed][:, columns].astype(np.float64)
    ankle = table.keypoints[rows][posed][:, 15 + side].astype(np.float64)
    joint = H36M17.index("lr"[side] + "foot")
    depth = (table.pose[rows][posed, joint, 2] + table.root[rows][posed, 2]).astype(np.float64)
    known = np.isfinite(depth) & (depth > 0.1) & (ankle[:, 2] >= _SURE) & np.isfinite(ankle).all(-1)
    seen = known[:, None] & (found[..., 2] >= _SURE) & np.isfinite(found).all(-1)
    weight = np.where(seen, found[..., 2], 0)
    ray = np.where(known[:, None], (ankle[:, :2] - centre) / focal, 0)
    # Places that do not count are 0: their weight would not cancel NaN.
    at = np.where(seen[..., None], (found[..., :2] - centre) / focal - ray[:, None], 0)
    return _Sight(
        at=at,
        weight=weight,
        ray=ray,
        depth=np.where(known, depth, 1),
        camera=table.camera_rotation[table.frame[rows][posed]].astype(np.float64),
        contact=np.nan_to_num(table.contact[rows][posed, side].astype(np.float64)),
    )


def _length(sight: _Sight, offsets: Vectors) -> float:
    """How long the foot is, in parts of the usual length; 1 if the picture never shows it unshortened."""
    both = (sight.weight[:, 0] > 0) & (sight.weight[:, 1] > 0)
    if not both.any():
        return 1.0
    apart = np.linalg.norm(sight.at[both, 1] - sight.at[both, 0], axis=-1) * sight.depth[both]
    looks = float(np.percentile(apart, _LENGTH_AT) / np.linalg.norm(offsets[1] - offsets[0]))
    return float(np.clip(looks, _FORESHORTENED, _LONGEST)) if looks > _FORESHORTENED else 1.0


def _fit(sight: _Sight, usual: Rotation, offsets: Vectors, times: NDArray[np.float64]) -> Rotation:
    """Return the foot's rotations against the usual ones, all frames together."""
    theta = np.zeros((len(times), 3))
    steps = np.maximum(np.diff(times), 1e-3)
    link = np.repeat(1 / (_CHANGE**2 * steps), 3)  # of each angle with that of the next frame
    flat = np.concatenate([link, np.zeros(3)])
    for _ in range(_STEPS):
        value = _residuals(sight, usual, offsets, theta)
        slope = np.stack(
            [(_residuals(sight, usual, offsets, theta + step) - value) / _TINY for step in _TINY * np.eye(3)],
            -1,
        )
        weight = sight.weight / (1 + np.square(value[:, :6].reshape(-1, 3, 2)).sum(-1) / _TAIL)
        strength = np.concatenate([np.repeat(weight, 2, -1), np.ones((len(theta), 5))], -1)
        strength[:, 6:8] *= sight.contact[:, None]
        strength[:, 8:] /= 1 + np.square(value[:, 8:]) / _TAIL
        square = np.einsum("tmi,tm,tmj->tij", slope, strength, slope)
        down = np.einsum("tmi,tm,tm->ti", slope, strength, value)
        pull = np.zeros_like(theta)
        change = link.reshape(-1, 3) * np.diff(theta, axis=0)
        pull[1:] += change
        pull[:-1] -= change
        # Upper form of the banded matrix: the frame's own 3 × 3, and the links three places off the diagonal.
        band = np.zeros((4, theta.size))
        band[0, 3:] = -link
        band[3] = (
            np.diagonal(square, axis1=1, axis2=2).reshape(-1) + flat + np.concatenate([np.zeros(3), link])
        )
        band[2, 1::3], band[2, 2::3] = square[:, 0, 1], square[:, 1, 2]
        band[1, 2::3] = square[:, 0, 2]
        step = solveh_banded(band, -(down + pull).reshape(-1)).reshape(theta.shape)
        theta = theta + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
    return Rotation.from_rotvec(theta)


def _residuals(sight: _Sight, usual: Rotation, offsets: Vectors, theta: Vectors) -> Vectors:
    """Return (T, 11): misses of keypoints, slopes of a standing foot, and the angles, in deviations."""
    turns = (usual * Rotation.from_rotvec(theta)).as_matrix()
    misses = sight.residuals(np.einsum("tij,kj->tki", turns, offsets)) / _NOISE
    slopes = turns[:, 2, [0, 2]] / _LEVEL  # how far left and ahead point up
    return np.concatenate([misses.reshape(len(theta), 6), slopes, theta / _USUAL], 1)
