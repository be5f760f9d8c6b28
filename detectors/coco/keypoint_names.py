"""Convert between the keypoint names in COCO files and those of this project."""

from __future__ import annotations

from collections.abc import Sequence

from ...skeleton import COCO17, Skeleton

COCO_NAMES = tuple(
    {"l": "left_", "r": "right_"}[name[0]] + name[1:] if joint in COCO17.sided else name
    for joint, name in enumerate(COCO17.names)
)
"""The names of COCO17's keypoints in COCO's files, such as "left_hip" for `lhip`."""


def names_in_files(skeleton: Skeleton) -> tuple[str, ...]:
    """Return a skeleton's keypoint names as a COCO file has them."""
    return COCO_NAMES if skeleton.names == COCO17.names else skeleton.names


def skeleton_from_file(names: Sequence[str], bones: Sequence[tuple[int, int]]) -> Skeleton:
    """Return the skeleton of a file's keypoint names.

    COCO's 17 keypoints get the names of `COCO17`; other names stay as they are.

    Args:
        names: The keypoints' names, in order.
        bones: Pairs of keypoints that a drawing connects.

    Raises:
        ValueError: If names repeat.
    """
    names = COCO17.names if tuple(names) == COCO_NAMES else names
    return Skeleton.from_names(names, bones)
