import pytest

from videopose.errors import UsageError
from videopose.lifting.datasets.videopose3d_files import known_skeleton
from videopose.skeleton import COCO17, H36M17, HUMANEVA15, Skeleton


def test_the_skeleton_of_keypoints() -> None:
    assert known_skeleton(Skeleton.without_names("", 17, H36M17.left, H36M17.right)) is H36M17
    assert known_skeleton(Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)) is COCO17
    assert (
        known_skeleton(Skeleton.without_names("humaneva15", 15, HUMANEVA15.left, HUMANEVA15.right))
        is HUMANEVA15
    )
    with pytest.raises(UsageError, match="no lifter reads 20 keypoints of layout 'humaneva20'"):
        known_skeleton(Skeleton.without_names("humaneva20", 20, (), ()))
