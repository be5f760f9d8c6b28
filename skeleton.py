"""Skeleton layouts as data, and the one conversion from detected keypoints to the lifter's joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Skeleton:
    """A joint layout: `names`, the parent of each joint (−1 for the root), and left/right by name.

    Raises `ValueError` where the parents do not form one tree, or a left joint has no right twin.
    """

    name: str
    names: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.parents) or len(set(self.names)) != len(self.names):
            raise ValueError(f"{self.name}: needs one parent per joint and distinct names")
        if sum(p < 0 for p in self.parents) != 1 or max(self.parents) >= len(self.parents):
            raise ValueError(f"{self.name}: needs exactly one root, and parents among its joints")
        for joint in range(len(self.parents)):
            seen = set()
            while joint >= 0:
                if joint in seen:
                    raise ValueError(f"{self.name}: parents form a cycle")
                seen.add(joint)
                joint = self.parents[joint]
        if {n[1:] for n in self.names if self._side(n) == "l"} != {
            n[1:] for n in self.names if self._side(n) == "r"
        }:
            raise ValueError(f"{self.name}: every left joint needs a right twin")

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def _side(name: str) -> str:
        return name[0] if name[0] in "lr" else ""

    def index(self, name: str) -> int:
        """A joint's number by its name."""
        return self.names.index(name)

    @cached_property
    def left(self) -> tuple[int, ...]:
        """The joints of the left side."""
        return tuple(i for i, n in enumerate(self.names) if self._side(n) == "l")

    @cached_property
    def right(self) -> tuple[int, ...]:
        """The twins of `left`, in the same order."""
        return tuple(self.names.index("r" + self.names[i][1:]) for i in self.left)

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """The permutation that swaps left and right."""
        order = list(range(len(self)))
        for a, b in zip(self.left, self.right, strict=True):
            order[a], order[b] = b, a
        return tuple(order)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) pairs."""
        return tuple((i, p) for i, p in enumerate(self.parents) if p >= 0)


H36M17 = Skeleton(
    "h36m17",
    tuple(
        "hip rhip rknee rfoot lhip lknee lfoot spine thorax nose head lshoulder lelbow lwrist "
        "rshoulder relbow rwrist".split()
    ),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)

COCO17 = Skeleton(
    "coco17",
    tuple(
        "nose leye reye lear rear lshoulder rshoulder lelbow relbow lwrist rwrist lhip rhip lknee "
        "rknee lankle rankle".split()
    ),
    (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
)

# HumanEva-I's fifteen joints (Sigal et al., IJCV 2010) in the order VideoPose3D's files use.
HUMANEVA15 = Skeleton(
    "humaneva15",
    tuple(
        "pelvis thorax lshoulder lelbow lwrist rshoulder relbow rwrist lhip lknee lankle rhip "
        "rknee rankle head".split()
    ),
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)

# MPII's sixteen joints (Andriluka et al., CVPR 2014), which stacked hourglasses find.
MPII16 = Skeleton(
    "mpii16",
    tuple(
        "rankle rknee rhip lhip lknee lankle pelvis spine thorax head rwrist relbow rshoulder "
        "lshoulder lelbow lwrist".split()
    ),
    (1, 2, 6, 6, 3, 4, -1, 6, 7, 8, 11, 12, 8, 8, 13, 14),
)

SKELETONS = {s.name: s for s in (COCO17, H36M17, HUMANEVA15, MPII16)}

_COCO_SOURCES = {
    "hip": "lhip rhip",
    "rhip": "rhip",
    "rknee": "rknee",
    "rfoot": "rankle",
    "lhip": "lhip",
    "lknee": "lknee",
    "lfoot": "lankle",
    "spine": "lhip rhip lshoulder rshoulder",
    "thorax": "lshoulder rshoulder",
    "nose": "nose",
    "head": "leye reye lear rear",
    "lshoulder": "lshoulder",
    "lelbow": "lelbow",
    "lwrist": "lwrist",
    "rshoulder": "rshoulder",
    "relbow": "relbow",
    "rwrist": "rwrist",
}


def _coco_to_h36m() -> NDArray[np.float32]:
    weights = np.zeros((len(H36M17), len(COCO17)), np.float32)
    for joint, sources in _COCO_SOURCES.items():
        names = sources.split()
        for name in names:
            weights[H36M17.index(joint), COCO17.index(name)] = 1 / len(names)
    weights.setflags(write=False)
    return weights


COCO_TO_H36M: NDArray[np.float32] = _coco_to_h36m()
"""(17, 17): each Human3.6M joint as the mean of the COCO keypoints named in its row."""


def coco_to_h36m(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert COCO17 keypoints to the Human3.6M layout.

    keypoints: (…, 17, 2) x, y, or (…, 17, 3) x, y, score. A joint made of several keypoints lies at their
    mean and scores as the least of them. The lifter is trained through this same matrix, so the joints that
    Human3.6M and COCO place differently (spine, thorax, head) mean the same in training and in use.
    """
    if keypoints.shape[-2:] not in ((len(COCO17), 2), (len(COCO17), 3)):
        raise ValueError(f"expected (…, 17, 2 or 3) COCO17 keypoints, got {keypoints.shape}")
    positions = np.einsum("hc,...cd->...hd", COCO_TO_H36M, keypoints[..., :2])
    if keypoints.shape[-1] == 2:
        return positions.astype(np.float32)
    used = COCO_TO_H36M > 0
    scores = np.where(used, keypoints[..., None, :, 2], np.inf).min(-1)
    return np.concatenate([positions, scores[..., None]], -1).astype(np.float32)


def limbs(skeleton: Skeleton) -> tuple[int, ...]:
    """Limbs and hips, the joints that have a side, which every layout places alike."""
    return tuple(sorted((*skeleton.left, *skeleton.right)))


LIMBS = limbs(H36M17)
"""Human3.6M's limbs and hips."""
