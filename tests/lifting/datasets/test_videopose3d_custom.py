from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.errors import InputError
from videopose.lifting.datasets.videopose3d_custom import load_custom
from videopose.lifting.datasets.videopose3d_files import KeypointFile
from videopose.skeleton import COCO17, Skeleton

COCO_FILE = Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)


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
    assert np.isfinite(videos["b.mp4"].keypoints).all((1, 2)).tolist() == [True, True, False, True, True]
    assert np.isnan(videos["b.mp4"].keypoints[2]).all()
    assert videos["b.mp4"].keypoints.dtype == np.float32


def test_videos_that_cannot_be_used(tmp_path: Path) -> None:
    xy = np.zeros((3, 17, 2), np.float32)
    sizes = {"a": {"w": 640, "h": 480}}
    with pytest.raises(InputError, match="a holds 2 sequences"):
        load_custom(_custom(tmp_path / "a.npz", {"a": {"custom": [xy, xy]}}, sizes))
    with pytest.raises(InputError, match="b does not give the video's width and height"):
        load_custom(_custom(tmp_path / "b.npz", {"b": {"custom": [xy]}}, sizes))
    for size, what in (
        ({"w": 0, "h": 3}, "0x3 pixels"),
        (7, "width and height"),
        ({"h": 3}, "width and height"),
    ):
        with pytest.raises(InputError, match=what):
            load_custom(_custom(tmp_path / "d.npz", {"a": {"custom": [xy]}}, {"a": size}))
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
