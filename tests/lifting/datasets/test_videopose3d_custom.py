from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.errors import InputError
from videopose.lifting.datasets.videopose3d_custom import load_custom, load_detections
from videopose.lifting.datasets.videopose3d_files import KeypointFile
from videopose.skeleton import COCO17, Skeleton

COCO_FILE = Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)


def _detections(path: Path, people: list[int], **changes: Any) -> tuple[Path, list[np.ndarray]]:
    """A file as VideoPose3D's infer_video_d2.py writes it, and each frame's best of so many `people`."""
    rng = np.random.default_rng(0)
    boxes, keypoints, all_people = [], [], []
    for count in people:
        corners = rng.uniform(0, 500, (count, 5)).astype(np.float32)
        corners[:, 4] = np.linspace(0.5, 0.9, count)[rng.permutation(count)]
        found = rng.uniform(0, 500, (count, 4, 17)).astype(np.float32)
        all_people.append(found[corners[:, 4].argmax()] if count else None)
        boxes.append([[], corners if count else []])
        keypoints.append([[], found if count else []])
    boxes_array, keypoints_array = np.empty((len(people), 2), object), np.empty((len(people), 2), object)
    for i in range(len(people)):
        boxes_array[i, 0], boxes_array[i, 1] = boxes[i]
        keypoints_array[i, 0], keypoints_array[i, 1] = keypoints[i]
    values = {
        "boxes": boxes_array, "keypoints": keypoints_array, "segments": np.array([None] * len(people)),
        "metadata": {"w": 1920, "h": 1080},
    }  # fmt: skip
    np.savez_compressed(path, **values | changes)
    return path, all_people


def test_the_best_person_of_every_frame(tmp_path: Path) -> None:
    path, people = _detections(tmp_path / "walk.mp4.npz", [1, 0, 3, 2])
    video = load_detections(path)
    assert video.name == "walk.mp4"
    assert video.size == (1920, 1080)
    assert video.skeleton.mirror == COCO17.mirror
    assert video.seen.tolist() == [True, False, True, True]
    assert np.isnan(video.keypoints[1]).all()
    assert video.keypoints.shape == (4, 17, 3)
    for frame in (0, 2, 3):
        np.testing.assert_array_equal(video.keypoints[frame, :, 0], people[frame][0])
        np.testing.assert_array_equal(video.keypoints[frame, :, 1], people[frame][1])
        np.testing.assert_array_equal(video.keypoints[frame, :, 2], people[frame][3])  # not the logit
    assert load_detections(path, "other").name == "other"


def test_a_video_without_anybody(tmp_path: Path) -> None:
    # numpy makes a plain array of lists that are all empty.
    path, _ = _detections(
        tmp_path / "a.npz", [0, 0], boxes=np.array([[[], []]] * 2), keypoints=np.array([[[], []]] * 2)
    )
    assert not load_detections(path).seen.any()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"metadata": {"h": 3}}, "width and height"),
        ({"metadata": {"w": 0, "h": 3}}, "0x3 pixels"),
        ({"metadata": 7}, "width and height"),
        ({"boxes": np.zeros((3, 2))}, "boxes of 3 frames, keypoints of 2"),
        ({"boxes": np.zeros((0, 2, 0)), "keypoints": np.zeros((0, 2, 0))}, "no frames"),
        ({"keypoints": np.ones((2, 2, 1, 4, 16))}, r"keypoints of shape \(1, 4, 16\)"),
        ({"keypoints": np.ones((2, 2, 5, 4, 17))}, "for 1 boxes"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    path, _ = _detections(tmp_path / "a.npz", [1, 1], **changes)
    with pytest.raises(InputError, match=what):
        load_detections(path)


def test_a_file_that_lacks_a_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", boxes=np.zeros((1, 2, 0)))
    with pytest.raises(InputError, match="no 'keypoints'"):
        load_detections(tmp_path / "a.npz")


def _custom(path: Path, positions: Any, sizes: Any) -> Path:
    metadata = {
        "layout_name": "coco", "num_joints": 17, "video_metadata": sizes,
        "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
    }  # fmt: skip
    np.savez_compressed(path, positions_2d=positions, metadata=metadata)
    return path


def test_a_file_of_many_videos(tmp_path: Path) -> None:
    a, b = (np.random.default_rng(i).uniform(0, 900, (4 + i, 17, 2)).astype(np.float32) for i in (0, 1))
    b[2, 5] = np.nan
    path = _custom(
        tmp_path / "data_2d_custom_mine.npz",
        {"a.mp4": {"custom": [a]}, "b.mp4": {"custom": [b]}},
        {"a.mp4": {"w": 640, "h": 480}, "b.mp4": {"w": 480, "h": 640}},
    )
    videos = load_custom(path)
    assert list(videos) == ["a.mp4", "b.mp4"]
    assert videos["a.mp4"].size == (640, 480)
    assert videos["b.mp4"].size == (480, 640)
    assert videos["a.mp4"].skeleton == COCO_FILE
    np.testing.assert_array_equal(videos["a.mp4"].keypoints[..., :2], a)
    assert (videos["a.mp4"].keypoints[..., 2] == 1).all()
    assert videos["b.mp4"].seen.tolist() == [True, True, False, True, True]
    assert np.isnan(videos["b.mp4"].keypoints[2]).all()
    assert videos["b.mp4"].keypoints.dtype == np.float32


def test_videos_that_cannot_be_used(tmp_path: Path) -> None:
    xy = np.zeros((3, 17, 2), np.float32)
    sizes = {"a": {"w": 640, "h": 480}}
    with pytest.raises(InputError, match="a holds 2 sequences"):
        load_custom(_custom(tmp_path / "a.npz", {"a": {"custom": [xy, xy]}}, sizes))
    with pytest.raises(InputError, match="b does not tell the video's width and height"):
        load_custom(_custom(tmp_path / "b.npz", {"b": {"custom": [xy]}}, sizes))
    with pytest.raises(InputError, match="holds no video"):
        load_custom(_custom(tmp_path / "c.npz", {}, sizes))


def test_a_keypoint_file_reads_back_what_it_wrote(tmp_path: Path) -> None:
    xy = np.random.default_rng(0).uniform(0, 900, (3, 17, 2)).astype(np.float32)
    file = KeypointFile(COCO_FILE, {"a": {"custom": (xy, xy + 1)}}, {"a": {"w": 640, "h": 480}})
    file.save(tmp_path / "x.npz")
    back = KeypointFile.load(tmp_path / "x.npz")
    assert back.skeleton == file.skeleton
    assert back.video_metadata == {"a": {"w": 640, "h": 480}}
    for one, other in zip(back.views("a", "custom"), (xy, xy + 1), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="pair up"):
        Skeleton.without_names("x", 17, (1, 2), (2, 3))
    with pytest.raises(ValueError, match="among the 3"):
        Skeleton.without_names("x", 3, (1,), (3,))
