"""Damaged videos from the file to the pose table, with a detector that sees a person on every frame."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from odd_videos import change_packets, encode
from standing_detector import StandingPerson

from videopose.detectors.people import Image, People
from videopose.errors import NoPeopleError
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.detect import detect
from videopose.pipeline.inference.options import DetectOptions
from videopose.pipeline.video.reader import open_video


def found(path: Path, **options: float) -> PoseTable:
    with open_video(path, fps=options.get("fps")) as video:
        return detect(video, DetectOptions(**options), StandingPerson())  # type: ignore[arg-type]


def test_keypoints_on_damaged_frames_score_half(tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.mkv", "mpeg4", {})
    damaged = change_packets(
        sound,
        tmp_path / "damaged.mkv",
        lambda n, content: content[: len(content) // 2] if n == 4 else content,
    )
    before, after = found(sound), found(damaged)
    assert before.meta["damaged"] is None
    assert not len(before.damaged_frames())
    assert after.meta["damaged"]["frames"] == list(range(4, 12))
    assert "8 frames" in after.meta["damaged"]["warning"]
    np.testing.assert_allclose(after.keypoints[4:12, :, 2], 0.4)
    np.testing.assert_array_equal(after.keypoints[12:], before.keypoints[12:])
    assert (after.confidence[4:12] < before.confidence[4:12]).all()
    after.save(tmp_path / "table.npz")
    assert PoseTable.load(tmp_path / "table.npz").damaged_frames().tolist() == list(range(4, 12))


def test_a_stated_rate(tmp_path: Path) -> None:
    table = found(encode(tmp_path / "a.mp4", "libx264", {}), fps=50.0)
    assert table.time == pytest.approx(np.arange(24) / 50)
    assert table.meta["video"]["fps"] == 50


class NoOne:
    """Sees no person."""

    name = "no one"

    def detect(self, frames: Iterable[Image], memory: object = None) -> Iterator[People]:
        for _ in frames:
            yield People.none()

    def describe(self) -> dict[str, object]:
        return {"name": self.name}


def test_no_person_in_a_damaged_video(tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.mkv", "mpeg4", {})
    damaged = change_packets(
        sound, tmp_path / "damaged.mkv", lambda n, content: content[: 50 if n == 4 else None]
    )
    with (
        open_video(damaged) as video,
        pytest.raises(NoPeopleError, match=r"in any of its 24 frames; the file is damaged: 8 frames are"),
    ):
        detect(video, DetectOptions(), NoOne())
