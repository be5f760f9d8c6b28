"""The keypoint layouts that detectors give, as data, and their conversion to COCO's seventeen keypoints.

COCO17 is what a pose table holds and what lifters are fed from (`skeleton.coco_to_h36m`). Most layouts have
these seventeen among others. MPII's and Human3.6M's lack points of the face; these are guessed from the
joints that they have, and score a tenth, so that nobody draws them or measures by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...skeleton import COCO17, H36M17
from ..datasets.videopose3d_files import Layout

GUESSED = 0.1
"""The score of a keypoint that the layout lacks, as a part of the least score of those it is guessed from."""


@dataclass(frozen=True)
class KeypointLayout:
    """Which keypoints a detector gives, in their order.

    names: as in `COCO17` where they are the same points; "" for those of no use here (hands, the face's
    outline). guesses: for each COCO keypoint that is missing, the weights (of sum 1) by which it is a mean of
    others. Raises `ValueError` where a COCO keypoint comes from nowhere.
    """

    name: str
    names: tuple[str, ...]
    guesses: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = set(COCO17.names) - {*self.names, *self.guesses}
        if missing or not np.allclose(self._weights.sum(1), 1):
            raise ValueError(f"{self.name}: cannot give COCO's keypoints ({', '.join(sorted(missing))})")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def sided(self) -> frozenset[int]:
        """The named keypoints that are left or right."""
        return frozenset(i for i, name in enumerate(self.names) if name[:1] in ("l", "r"))

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """(17, J)."""
        weights = np.zeros((len(COCO17), len(self)))
        for row, name in zip(weights, COCO17.names, strict=True):
            for source, weight in self.guesses.get(name, {name: 1.0}).items():
                row[self.names.index(source)] = weight
        return weights

    def to_coco17(self, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """(…, J, 3) x, y and score, all finite → (…, 17, 3).

        A guessed keypoint scores `GUESSED` times the least of those that it is guessed from. Raises
        `ValueError` for another shape.
        """
        if keypoints.shape[-2:] != (len(self), 3):
            raise ValueError(f"expected (…, {len(self)}, 3) {self.name} keypoints, got {keypoints.shape}")
        positions = self._weights @ keypoints[..., :2].astype(np.float64)
        scores = np.where(self._weights != 0, keypoints[..., None, :, 2], np.inf).min(-1)
        scores *= [GUESSED if name in self.guesses else 1.0 for name in COCO17.names]
        return np.concatenate([positions, scores[..., None]], -1).astype(np.float32)


def _names(words: str, more: int = 0) -> tuple[str, ...]:
    return (*words.split(), *[""] * more)


def _face(
    nose: Mapping[str, float], eyes: Mapping[str, float], ears: Mapping[str, float]
) -> Mapping[str, Mapping[str, float]]:
    """A face from the middle of its eyes and of its ears, as wide as faces are beside shoulders."""
    face = {"nose": nose}
    for name, middle, width in (("eye", eyes, 0.08), ("ear", ears, 0.18)):
        face["l" + name] = {**middle, "lshoulder": width, "rshoulder": -width}
        face["r" + name] = {**middle, "lshoulder": -width, "rshoulder": width}
    return MappingProxyType({k: MappingProxyType(v) for k, v in face.items()})


_OPENPOSE_ARMS = "nose neck rshoulder relbow rwrist lshoulder lelbow lwrist"
_OPENPOSE_LEGS = "rhip rknee rankle lhip lknee lankle reye leye rear lear"
_COCO = " ".join(COCO17.names)

LAYOUTS: Mapping[str, KeypointLayout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            KeypointLayout("coco17", COCO17.names),
            # OpenPose's `POSE_COCO_BODY_PARTS` and `POSE_BODY_25_BODY_PARTS`
            KeypointLayout("coco18", _names(f"{_OPENPOSE_ARMS} {_OPENPOSE_LEGS}")),
            KeypointLayout(
                "body25",
                _names(
                    f"{_OPENPOSE_ARMS} hip {_OPENPOSE_LEGS} lbigtoe lsmalltoe lheel rbigtoe rsmalltoe rheel"
                ),
            ),
            # Halpe-FullBody, of AlphaPose, and COCO-WholeBody: body and feet first, then face and hands
            KeypointLayout(
                "halpe26",
                _names(f"{_COCO} head neck hip lbigtoe rbigtoe lsmalltoe rsmalltoe lheel rheel"),
            ),
            KeypointLayout(
                "halpe136",
                _names(f"{_COCO} head neck hip lbigtoe rbigtoe lsmalltoe rsmalltoe lheel rheel", 110),
            ),
            KeypointLayout(
                "wholebody133",
                _names(f"{_COCO} lbigtoe lsmalltoe lheel rbigtoe rsmalltoe rheel", 110),
            ),
            # MPII, of stacked hourglasses. Which way the face looks cannot be told; it is put half way
            # between the neck's upper end and the crown.
            KeypointLayout(
                "mpii16",
                _names(
                    "rankle rknee rhip lhip lknee lankle hip thorax neck crown "
                    "rwrist relbow rshoulder lshoulder lelbow lwrist"
                ),
                _face(
                    nose={"neck": 0.6, "crown": 0.4},
                    eyes={"neck": 0.5, "crown": 0.5},
                    ears={"neck": 0.5, "crown": 0.5},
                ),
            ),
            # Human3.6M. Its nose is a point inside the face. The weights are least squares over motion
            # capture with ears (see `mocap.coco_face`): the nose's tip is met to 9 mm, the mean of eyes and
            # ears, which lifters take for the head, to 6 mm.
            KeypointLayout(
                "h36m17",
                tuple(
                    {"nose": "face"}.get(name, name.replace("foot", "ankle")) for name in H36M17.names
                ),
                _face(
                    nose={"face": 1.55, "head": -0.2, "thorax": -0.35},
                    eyes={"face": 1.18, "head": 0.15, "thorax": -0.33},
                    ears={"face": -0.16, "head": 0.75, "thorax": 0.41},
                ),
            ),
        )
    }
)  # fmt: skip


def known_layouts() -> str:
    """The layouts for an error's last words."""
    return ", ".join(f"{layout.name} ({len(layout)} joints)" for layout in LAYOUTS.values())


def layout_called(name: str, joints: int) -> KeypointLayout:
    """The layout that the user names. Raises `UsageError` where there is none, or it has other `joints`."""
    layout = LAYOUTS.get(name)
    if layout is None:
        raise UsageError(f"there is no keypoint layout {name!r}; known: {known_layouts()}")
    if len(layout) != joints:
        raise UsageError(f"{name} has {len(layout)} joints, the keypoints have {joints}")
    return layout


def recognise(found: int | Layout) -> KeypointLayout:
    """The layout with this number of joints and, where a file tells, these that are left or right.

    By number alone, seventeen are COCO's. Which is whose twin does not count: VideoPose3D's files of MPII
    keypoints pair hips with ankles, and MMPose has called Human3.6M's right leg the left one.
    Raises `InputError` that lists the known layouts where there is none.
    """
    joints, sided = (
        (found, None) if isinstance(found, int) else (found.num_joints, {*found.left, *found.right})
    )
    for layout in LAYOUTS.values():
        if len(layout) == joints and (sided is None or layout.sided <= sided):
            return layout
    told = "" if sided is None else ", left and right as the file has them"
    raise InputError(f"no known layout has {joints} keypoints{told}; known: {known_layouts()}")
