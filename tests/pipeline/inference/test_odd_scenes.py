"""Scenes that are not as usual: a poster, a mirror, and videos that were filmed the wrong way up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from videopose.detectors.people import Image
from videopose.lifting.pose_table import PoseTable

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
MAN = (slice(0, 115), slice(170, 265))  # on the first frame, from the head to the knees


def _found(videopose: Run, video: Path, *words: str) -> tuple[PoseTable, Any]:
    done = videopose("detect", video, "--static-camera", "--overwrite", *words)
    assert done.code == 0, done.err
    return PoseTable.load(video.with_suffix(".2d.npz")), done


def test_a_person_on_a_poster_is_a_person_with_an_id(
    images: list[Image], tmp_path: Path, write_video: Callable[..., Path], videopose: Run
) -> None:
    poster = np.asarray(cv2.resize(images[0][MAN], (116, 140)), np.uint8)
    frames = [image.copy() for image in images[:20]]
    for frame in frames:
        frame[180:320, 20:136] = poster
    video = write_video(tmp_path / "poster.mp4", frames)
    table, _ = _found(videopose, video, "--people", "all")
    moved = {}
    for track, rows in table.tracks():
        assert rows.stop - rows.start == len(frames)
        middle = table.keypoints[rows, 5:7, :2].mean(1)
        on_poster = bool((np.abs(middle - [78, 250]) < [58, 70]).all())
        moved[on_poster, track] = float(np.linalg.norm(np.ptp(middle, axis=0)))
    assert sum(on_poster for on_poster, _ in moved) == 1
    assert len(moved) == 3
    assert all((size < 3) == on_poster for (on_poster, _), size in moved.items())
    _, done = _found(videopose, video, "--people", "1")
    assert any("2 other people were seen" in line and "--select" in line for line in done.err.splitlines())


def test_a_person_and_their_mirror_image_keep_their_ids(
    images: list[Image], tmp_path: Path, write_video: Callable[..., Path], videopose: Run
) -> None:
    cut = [image[:, 90:270] for image in images[:20]]  # the man; the woman comes later
    frames = [np.ascontiguousarray(np.concatenate([each, each[:, ::-1]], 1)) for each in cut]
    table, _ = _found(videopose, write_video(tmp_path / "mirror.mp4", frames), "--people", "all")
    sides = {}
    for track, rows in table.tracks():
        x = table.keypoints[rows, 5:7, 0].mean(1)
        assert (x < 180).all() or (x > 180).all()
        sides[track] = rows.stop - rows.start
    assert list(sides.values()) == [len(frames)] * 2


def test_a_video_filmed_upside_down_is_told_and_can_be_turned(
    images: list[Image], clip: Path, tmp_path: Path, write_video: Callable[..., Path], videopose: Run
) -> None:
    frames = [np.ascontiguousarray(image[::-1, ::-1]) for image in images[:12]]
    video = write_video(tmp_path / "turned.mp4", frames)
    table, done = _found(videopose, video, "--people", "all")
    assert any("upside down" in line and "--rotate 180" in line for line in done.err.splitlines()), done.err
    table, done = _found(videopose, video, "--people", "all", "--rotate", "180")
    assert "upside down" not in done.err
    assert table.meta["video"]["rotate"] == 180
    straight = write_video(tmp_path / "straight.mp4", images[:12])
    upright, _ = _found(videopose, straight, "--people", "all")
    apart = np.linalg.norm(table.keypoints[..., :2] - upright.keypoints[..., :2], axis=-1)
    assert np.median(apart) < 2
    # What reads the video again turns it, too.
    assert videopose("people", video.with_suffix(".2d.npz")).code == 0
    assert videopose("render", video.with_suffix(".2d.npz"), "--at", "0.3").code == 0


@pytest.mark.parametrize("rotate", [90, 270])
def test_a_video_filmed_on_its_side(
    rotate: int, images: list[Image], tmp_path: Path, write_video: Callable[..., Path], videopose: Run
) -> None:
    frames = [np.ascontiguousarray(np.rot90(image, rotate // 90)) for image in images[:8]]
    video = write_video(tmp_path / "side.mp4", frames)
    _, done = _found(videopose, video)
    assert any(f"--rotate {rotate}" in line for line in done.err.splitlines()), done.err
    table, _ = _found(videopose, video, "--rotate", str(rotate))
    assert table.size == (592, 332)
