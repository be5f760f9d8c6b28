"""`--detector rtmpose` from a video to a pose table, with small networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_networks

from videopose.detectors.people import FEET
from videopose.lifting.pose_table import PoseTable


def picture(x: int, y: int) -> np.ndarray:
    """Dark, with a bright spot."""
    image = np.zeros((240, 320, 3), np.uint8)
    image[y - 4 : y + 5, x - 4 : x + 5] = 255
    return image


def test_a_video_keeps_the_feet_in_its_table(
    tmp_path: Path, write_video: Callable[..., Path], videopose: Callable[..., Any]
) -> None:
    found = np.array([[[20, 8, 44, 60, 0.9]]])
    boxes = small_networks.constant_network(tmp_path / "yolox.onnx", (64, 64), dets=found)
    pose = small_networks.pose_network(tmp_path / "pose.onnx", 26)
    video = write_video(tmp_path / "clip.mp4", [picture(150, 150)] * 20)
    words = ("--detector", "rtmpose", "--weights", pose, "--boxes", boxes, "--static-camera")
    done = videopose("detect", video, *words)
    assert done.code == 0, done.err
    table = PoseTable.load(tmp_path / "clip.2d.npz")
    assert len(table) == 20
    assert table.extra_names == FEET
    assert table.extra.shape == (20, 6, 3)
    assert table.extra[3, 4, :2] == pytest.approx([150, 150], abs=12)
    assert table[5:8].extra.shape == (3, 6, 3)
    with np.load(tmp_path / "clip.2d.npz", allow_pickle=False) as plain:
        assert plain["extra_names"].tolist() == list(FEET)
