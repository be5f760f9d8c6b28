"""Sample random windows of motion capture, and vary the bodies of the people in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...skeleton import COCO17, H36M17
from ..datasets.motion_capture import MotionCapture, coco_face
from .config import BodyConfig
from .constants import on_device

# Points: Human3.6M's 17 joints, the two ears, COCO's nose tip and the eyes. Both layouts can be made of them.
NUM_POINTS = 22
_NOSE = H36M17.index("nose")
PARENTS = (*H36M17.parents, *[_NOSE] * 5)

# The index of each COCO keypoint in the 22 points.
COCO_POINTS = tuple(
    {"nose": 19, "leye": 20, "reye": 21, "lear": 17, "rear": 18}.get(name)
    or H36M17.index(name.replace("ankle", "foot"))
    for name in COCO17.names
)
MIRROR = (*H36M17.mirror, 18, 17, 19, 21, 20)

# Groups of bones that are scaled by one factor, so that bodies stay symmetric and heads stay rigid.
_GROUPS = {
    "hip": (1, 4),
    "thigh": (2, 5),
    "shank": (3, 6),
    "spine": (7,),
    "thorax": (8,),
    "neck": (9,),
    "head": (10, 17, 18, 19, 20, 21),
    "shoulder": (11, 14),
    "upper arm": (12, 15),
    "forearm": (13, 16),
}


def _to_bones() -> Tensor:
    matrix = torch.eye(NUM_POINTS)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            matrix[joint, parent] = -1
    return matrix


_TO_BONES = _to_bones()  # (22, 22): points → root and bone vectors
_TO_POINTS = torch.linalg.inv(_TO_BONES)  # and back: the sum along each chain


def random_bodies(count: int, config: BodyConfig, generator: torch.Generator) -> Tensor:
    """Sample random bodies, as matrices that scale the bones of a person.

    The root's path is scaled with the legs, so that planted feet stay about as still as before.

    Args:
        count: Number of bodies.
        config: How bodies vary.
        generator: Random numbers.

    Returns:
        (count, 22, 22) matrices, by which a person's points (22, 3) are multiplied from the left.
    """
    device = generator.device
    scale = torch.ones(count, NUM_POINTS, device=device)
    stature = config.stature_mean * torch.exp(
        config.stature * torch.randn(count, generator=generator, device=device).clamp(-2.5, 2.5)
    )
    for name, joints in _GROUPS.items():
        if name == "hip":
            low, high = config.hip_width
            factor = low + (high - low) * torch.rand(count, generator=generator, device=device)
        else:
            factor = torch.exp(
                config.bone * torch.randn(count, generator=generator, device=device).clamp(-2.5, 2.5)
            )
        for joint in joints:
            scale[:, joint] = factor
    legs = (scale[:, 2] + scale[:, 3]) / 2
    scale[:, 0] = legs
    to_bones, to_points = on_device(_TO_BONES, device), on_device(_TO_POINTS, device)
    bodies: Tensor = to_points @ ((scale * stature[:, None])[:, :, None] * to_bones)
    return bodies


@dataclass(frozen=True)
class MotionBank:
    """The frames of several motion-capture tables, concatenated, with the probability of sampling each.

    Attributes:
        points: (S, 22 · 3) float32, world, metres, z up, the floor of each clip near 0.
        first: (S,) for each frame, the index of the first frame of its clip.
        last: (S,) for each frame, the index of the last frame of its clip.
        cumulative: (S,) float64, the cumulative probabilities, which rise to 1.
        rate: Frames per second.
    """

    points: Tensor
    first: Tensor
    last: Tensor
    cumulative: Tensor
    rate: float

    @classmethod
    def build(cls, tables: list[tuple[MotionCapture, float]]) -> MotionBank:
        """Make a motion bank of tables and their weights.

        The probability of a clip is proportional to the square root of its length, so that few long clips do
        not outweigh many short ones.

        Raises:
            ValueError: If the tables have different frame rates.
        """
        rates = {table.rate for table, _ in tables}
        if len(rates) != 1:
            raise ValueError(f"motion-capture tables of different frame rates: {sorted(rates)}")
        points, first, last, chance, offset = [], [], [], [], 0
        for table, weight in tables:
            whole = np.concatenate([table.positions, coco_face(table.positions)], 1)
            starts = table.starts
            lowest = whole[..., 2].min(1)
            floor = np.array(
                [np.percentile(lowest[s : s + n], 2) for s, n in zip(starts, table.lengths, strict=True)]
            )
            whole[..., 2] -= np.repeat(floor, table.lengths)[:, None] - 0.07  # an ankle rests 7 cm up
            points.append(whole.reshape(len(whole), -1).astype(np.float32))
            first.append(np.repeat(offset + starts, table.lengths))
            last.append(np.repeat(offset + starts + table.lengths - 1, table.lengths))
            chance.append(weight * np.repeat(1 / np.sqrt(table.lengths), table.lengths))
            offset += len(whole)
        cumulative = np.cumsum(np.concatenate(chance))
        return cls(
            torch.from_numpy(np.concatenate(points)),
            torch.from_numpy(np.concatenate(first)),
            torch.from_numpy(np.concatenate(last)),
            torch.from_numpy(cumulative / cumulative[-1]),
            rates.pop(),
        )

    def to(self, device: str | torch.device) -> MotionBank:
        """Return the motion bank on another device, where batches are then made."""
        return MotionBank(
            self.points.to(device),
            self.first.to(device),
            self.last.to(device),
            self.cumulative.to(device),
            self.rate,
        )

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Sample (count,) frame indices."""
        at = torch.rand(count, generator=generator, dtype=torch.float64, device=generator.device)
        return torch.searchsorted(self.cumulative, at).clamp(max=len(self.points) - 1)

    def windows(self, centres: Tensor, offsets: Tensor) -> Tensor:
        """Return windows of points, interpolated linearly between frames.

        Beyond the ends of a clip, its first and last frame are repeated. At 50 frames per second and an
        acceleration of 6 g, the error of interpolation is less than 3 mm.

        Args:
            centres: (N,) frame indices.
            offsets: (N, F) frames from the centre, not necessarily whole.

        Returns:
            (N, F, 66) points.
        """
        at = centres[:, None] + offsets.double()
        at = torch.maximum(torch.minimum(at, self.last[centres, None]), self.first[centres, None].double())
        low = at.floor().long()
        high = torch.minimum(low + 1, self.last[centres, None])
        share = (at - low).float()[..., None]
        return torch.lerp(self.points[low], self.points[high], share)
