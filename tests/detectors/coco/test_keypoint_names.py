import pytest

from videopose.detectors.coco.keypoint_names import COCO_NAMES, names_in_files, skeleton_from_file
from videopose.skeleton import COCO17


def test_cocos_own_names() -> None:
    assert COCO_NAMES == (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
        "right_knee", "left_ankle", "right_ankle",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("in_file", "here"), [(COCO_NAMES, COCO17.names), (("hip", "LKnee", "RKnee"), ("hip", "LKnee", "RKnee"))]
)
def test_names_are_written_as_they_were_read(in_file: tuple[str, ...], here: tuple[str, ...]) -> None:
    skeleton = skeleton_from_file(in_file, [(0, 1), (1, 2), (2, 0)])
    assert (skeleton.names, skeleton.bones) == (here, ((0, 1), (1, 2), (2, 0)))
    assert names_in_files(skeleton) == in_file
    assert names_in_files(COCO17) == COCO_NAMES
