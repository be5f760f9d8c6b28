"""Skeletons as data, and the conversion of keypoints from one skeleton to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

GUESS_SCORE = 0.1
"""A guessed joint's score, as a part of the lowest score of the joints it is guessed from."""


@dataclass(frozen=True, init=False)
class Skeleton:
    """The joints of a person, or the keypoints of a detector.

    Attributes:
        name: The skeleton's name, such as "h36m17".
        names: The joints' names, in order. "" is a joint without a name; other names are distinct.
        parents: The index of each joint's parent, -1 for a root. There may be several roots.
        left: The joints on the left side.
        right: Their counterparts on the right side, in the same order.
        bones: Pairs of joints that a drawing connects.
    """

    name: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    bones: tuple[tuple[int, int], ...]

    def __init__(
        self,
        name: str,
        names: Sequence[str],
        parents: Sequence[int] | None = None,
        left: Sequence[int] | None = None,
        right: Sequence[int] | None = None,
        bones: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Make a skeleton and check it.

        Args:
            name: The skeleton's name.
            names: The joints' names, in order.
            parents: By default every joint is a root.
            left: By default the joints whose names begin with "l"; then all names that begin with "l" or
                "r" must come in pairs, such as "lhip" and "rhip".
            right: Given together with `left`.
            bones: By default (joint, parent) for every joint that has a parent.

        Raises:
            ValueError: If names repeat, parents form a cycle, or left and right joints do not pair up.
        """
        if (left is None) != (right is None):
            raise ValueError(f"{name}: expected left and right joints together, found one of them")
        if left is None or right is None:
            left, right = _sides(name, names)
        parents = (-1,) * len(names) if parents is None else parents
        if bones is None:
            bones = [(joint, parent) for joint, parent in enumerate(parents) if parent >= 0]
        object.__setattr__(self, "name", name)
        for key, values in (("names", names), ("parents", parents), ("left", left), ("right", right)):
            object.__setattr__(self, key, tuple(values))
        object.__setattr__(self, "bones", tuple((a, b) for a, b in bones))
        self._check()

    @classmethod
    def from_names(
        cls, names: Sequence[str], bones: Sequence[tuple[int, int]] | None = None, name: str = "keypoints"
    ) -> Skeleton:
        """Make a skeleton from names in any common style, without parents.

        "left_hip" and "right_hip", "LHip" and "RHip", "knee_l" and "knee_r" are counterparts. A name that
        looks like one side's but has no counterpart ("lid") belongs to no side.

        Raises:
            ValueError: If names repeat.
        """
        pairs = _pairs(names)
        return cls(name, names, None, tuple(pairs), tuple(pairs.values()), bones)

    @classmethod
    def without_names(cls, name: str, count: int, left: Sequence[int], right: Sequence[int]) -> Skeleton:
        """Make a skeleton of `count` joints of which only left and right are known.

        Raises:
            ValueError: If left and right joints do not pair up.
        """
        return cls(name, ("",) * count, None, left, right)

    def _check(self) -> None:
        count, named = len(self.names), [name for name in self.names if name]
        if not count or len(set(named)) != len(named):
            raise ValueError(f"{self.name}: expected distinct names, found {', '.join(named) or 'none'}")
        if len(self.parents) != count:
            raise ValueError(
                f"{self.name}: expected one parent per joint, found {len(self.parents)} for {count} joints"
            )
        if not all(-1 <= parent < count for parent in self.parents):
            raise ValueError(f"{self.name}: expected parents from -1 to {count - 1}, found {self.parents}")
        for joint in range(count):
            for _ in range(count):
                joint = self.parents[joint] if joint >= 0 else -1
            if joint >= 0:
                raise ValueError(f"{self.name}: parents form a cycle")
        sides = (*self.left, *self.right)
        if len(self.left) != len(self.right) or len(set(sides)) != len(sides):
            raise ValueError(f"{self.name}: left and right joints must pair up")
        if not all(0 <= joint < count for joint in (*sides, *(end for bone in self.bones for end in bone))):
            raise ValueError(f"{self.name}: left, right and bones must be among the {count} joints")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Return a joint's index by its name.

        Raises:
            ValueError: If there is no joint of that name.
        """
        if not name or name not in self.names:
            known = ", ".join(filter(None, self.names)) or "joints without names"
            raise ValueError(f"{self.name} has no joint {name!r}; it has {known}")
        return self.names.index(name)

    def indices(self, *names: str) -> tuple[int, ...]:
        """Return the indices of several joints by their names, in the order given."""
        return tuple(self.index(name) for name in names)

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """The order of joints in which left and right are exchanged."""
        order = list(range(len(self)))
        for a, b in zip(self.left, self.right, strict=True):
            order[a], order[b] = b, a
        return tuple(order)

    @cached_property
    def sided(self) -> tuple[int, ...]:
        """The joints that are left or right, rising: limbs and hips, which all skeletons place alike."""
        return tuple(sorted((*self.left, *self.right)))


def _sides(skeleton: str, names: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Left and right joints by the first letters of their names, all of which must pair up."""
    places = {name: place for place, name in enumerate(names)}
    for name in places:
        if name[:1] in ("l", "r") and {"l": "r", "r": "l"}[name[0]] + name[1:] not in places:
            raise ValueError(
                f"{skeleton}: every left joint needs a right twin and the reverse; {name!r} has none"
            )
    left = tuple(place for name, place in places.items() if name.startswith("l"))
    return left, tuple(places["r" + names[place][1:]] for place in left)


def _pairs(names: Sequence[str]) -> dict[int, int]:
    """Right joints by left joints, of names in any common style."""
    places = {name: place for place, name in enumerate(names) if name}
    pairs: dict[int, int] = {}
    for name, place in places.items():
        twin = next((places[t] for t in _right_names(name) if t in places), place)
        if twin != place and twin not in pairs.values():
            pairs[place] = twin
    return pairs


def _right_names(left: str) -> Iterator[str]:
    """Yield the possible names of the counterpart of a left joint."""
    for here, there in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if here in left:
            yield left.replace(here, there)
    for here, there in (("l", "r"), ("L", "R")):
        if left.startswith(here):
            yield there + left[1:]
        if left.endswith(f"_{here}"):
            yield left[:-1] + there


H36M17 = Skeleton(
    "h36m17",
    "hip rhip rknee rfoot lhip lknee lfoot spine thorax nose head lshoulder lelbow lwrist "
    "rshoulder relbow rwrist".split(),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)
"""Human3.6M's joints (Ionescu et al., PAMI 2014) as the field uses them. The nose is inside the face."""

COCO17 = Skeleton(
    "coco17",
    "nose leye reye lear rear lshoulder rshoulder lelbow relbow lwrist rwrist lhip rhip lknee "
    "rknee lankle rankle".split(),
    (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
)
"""COCO's person keypoints (Lin et al., ECCV 2014)."""

HUMANEVA15 = Skeleton(
    "humaneva15",
    "pelvis thorax lshoulder lelbow lwrist rshoulder relbow rwrist lhip lknee lankle rhip "
    "rknee rankle head".split(),
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)
"""HumanEva-I's joints (Sigal et al., IJCV 2010) in the order of VideoPose3D's files."""

MPII16 = Skeleton(
    "mpii16",
    "rankle rknee rhip lhip lknee lankle hip thorax neck crown rwrist relbow rshoulder "
    "lshoulder lelbow lwrist".split(),
    (1, 2, 6, 6, 3, 4, -1, 6, 7, 8, 11, 12, 8, 8, 13, 14),
)
"""MPII's joints (Andriluka et al., CVPR 2014), which stacked hourglass networks find."""

SKELETONS: Mapping[str, Skeleton] = {s.name: s for s in (COCO17, H36M17, HUMANEVA15, MPII16)}
"""The skeletons that a lifter may read, by name."""


@dataclass(frozen=True)
class Conversion:
    """The rules by which the joints of one skeleton are computed from those of another.

    A joint without a rule is the other skeleton's joint of the same name.

    Attributes:
        means: For a joint, the names of the joints that it is the mean of. Its score is the lowest of theirs.
        guesses: For a joint, the weights by which it is estimated from others; they add up to 1. Its score is
            `GUESS_SCORE` times the lowest of theirs.
    """

    means: Mapping[str, str] = field(default_factory=dict)
    guesses: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for joint, weights in self.guesses.items():
            if not np.isclose(sum(weights.values()), 1):
                raise ValueError(f"{joint}: expected weights that add up to 1, found {dict(weights)}")

    def weights(self, joint: str) -> Mapping[str, float]:
        """Return the weight of each joint that `joint` depends on."""
        names = self.means.get(joint, joint).split()
        return self.guesses.get(joint) or {name: 1 / len(names) for name in names}


def _face(
    nose: Mapping[str, float], eyes: Mapping[str, float], ears: Mapping[str, float]
) -> dict[str, Mapping[str, float]]:
    """Return rules that estimate a face from nose, eyes and ears, in proportion to the shoulders."""
    face = {"nose": nose}
    for name, middle, width in (("eye", eyes, 0.08), ("ear", ears, 0.18)):
        face["l" + name] = {**middle, "lshoulder": width, "rshoulder": -width}
        face["r" + name] = {**middle, "lshoulder": -width, "rshoulder": width}
    return face


CONVERSIONS: Mapping[tuple[Skeleton, Skeleton], Conversion] = {
    # The lifter is trained on keypoints from this conversion. Therefore the joints that Human3.6M and COCO
    # define differently (spine, thorax, head) are the same in training and inference.
    (COCO17, H36M17): Conversion(
        means={
            "hip": "lhip rhip",
            "rfoot": "rankle",
            "lfoot": "lankle",
            "spine": "lhip rhip lshoulder rshoulder",
            "thorax": "lshoulder rshoulder",
            "head": "leye reye lear rear",
        }
    ),
    # The direction of the face is not known, so the face is placed midway between neck and crown.
    (MPII16, COCO17): Conversion(
        guesses=_face(
            nose={"neck": 0.6, "crown": 0.4},
            eyes={"neck": 0.5, "crown": 0.5},
            ears={"neck": 0.5, "crown": 0.5},
        )
    ),
    # The weights are least squares over motion capture with ears (see `motion_capture.coco_face`). The error
    # is 9 mm at the tip of the nose, and 6 mm at the mean of eyes and ears, which lifters take for the head.
    (H36M17, COCO17): Conversion(
        means={"rankle": "rfoot", "lankle": "lfoot"},
        guesses=_face(
            nose={"nose": 1.55, "head": -0.2, "thorax": -0.35},
            eyes={"nose": 1.18, "head": 0.15, "thorax": -0.33},
            ears={"nose": -0.16, "head": 0.75, "thorax": 0.41},
        ),
    ),
}
"""Conversions between skeletons whose joints differ in more than their order, by source and target."""


@cache
def conversion_weights(source: Skeleton, target: Skeleton) -> NDArray[np.float64]:
    """Return the matrix that converts positions of one skeleton to another.

    Returns:
        The weight of each joint of `source` (column) in each joint of `target` (row), read-only.

    Raises:
        ValueError: If a joint of `target` does not follow from those of `source`.

    Shape:
        (joints of `target`, joints of `source`)
    """
    conversion = CONVERSIONS.get((source, target), Conversion())
    matrix = np.zeros((len(target), len(source)))
    for row, joint in zip(matrix, target.names, strict=True):
        for name, weight in conversion.weights(joint).items():
            try:
                row[source.index(name)] = weight
            except ValueError as error:
                raise ValueError(f"cannot convert {source.name} to {target.name}: {error}") from error
    matrix.setflags(write=False)
    return matrix


def convert(keypoints: NDArray[np.floating], source: Skeleton, target: Skeleton) -> NDArray[np.float32]:
    """Convert keypoints of one skeleton to another.

    A joint made of several lies at their mean, and its score is the lowest of theirs. A joint that can only
    be guessed has `GUESS_SCORE` times that.

    Args:
        keypoints: x, y, and optionally score, all finite.
        source: The skeleton of `keypoints`.
        target: The skeleton wanted.

    Raises:
        ValueError: If the keypoints have another shape, or `target` does not follow from `source`.

    Shape:
        keypoints: (…, joints of `source`, 2 or 3)
        result: (…, joints of `target`, 2 or 3)
    """
    if keypoints.shape[-2:] not in ((len(source), 2), (len(source), 3)):
        raise ValueError(
            f"expected (…, {len(source)}, 2 or 3) {source.name} keypoints, found {keypoints.shape}"
        )
    weights = conversion_weights(source, target)
    guesses = CONVERSIONS.get((source, target), Conversion()).guesses
    precision = np.float64 if guesses else np.float32  # weights of means are exact in 32 bits
    positions = np.einsum("ts,...sd->...td", weights.astype(precision), keypoints[..., :2].astype(precision))
    result = np.empty((*positions.shape[:-1], keypoints.shape[-1]), np.float32)
    result[..., :2] = positions
    if keypoints.shape[-1] == 3:
        for joint, name in enumerate(target.names):
            scores = keypoints[..., weights[joint] != 0, 2].min(-1)
            result[..., joint, 2] = scores * np.float64(GUESS_SCORE if name in guesses else 1.0)
    return result


COCO_TO_H36M: NDArray[np.float32] = conversion_weights(COCO17, H36M17).astype(np.float32)
"""(17, 17): each Human3.6M joint (row) as a mean of COCO keypoints (columns), read-only."""
COCO_TO_H36M.setflags(write=False)
