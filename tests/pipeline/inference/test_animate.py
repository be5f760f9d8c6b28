import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.animate import animate, animation_rate, draw_sheet, draw_still, frames_at
from videopose.pipeline.video.reader import open_video
from videopose.render.views import NAMED_VIEWS

Write = Callable[..., Path]
SMALL: dict[str, Any] = {"size": (640, 320), "views": [NAMED_VIEWS["camera"]]}


def _even(count: int, rate: float, ticks: int = 15360) -> NDArray[np.float64]:
    """Time stamps as a container rounds them."""
    return np.round(np.arange(count) / rate * ticks) / ticks


@pytest.mark.parametrize("rate", [12, 23.976, 24, 25, 29.97, 30, 50, 59.94, 60, 120])
@pytest.mark.parametrize("ticks", [15360, 90000, 1000])
def test_even_frames_are_shown_once_each(rate: float, ticks: int) -> None:
    assert frames_at(_even(90, rate, ticks), 0, rate) == list(range(90))


@pytest.mark.parametrize(("rate", "step"), [(30, 2), (45, 3), (60, 4)])
@pytest.mark.parametrize("ticks", [15360, 1000, 3])
def test_a_slower_clock_leaves_out_the_same_number_each_time(rate: float, step: int, ticks: int) -> None:
    time = np.arange(240) / rate if ticks == 3 else _even(240, rate, ticks)
    shown = frames_at(time, 0, 15)
    assert shown == list(range(0, 240, step))


@pytest.mark.parametrize("rate", [23.976, 25, 29.97, 50])
def test_a_clock_that_does_not_fit_stays_within_a_frame(rate: float) -> None:
    time = np.arange(300) / rate
    shown = frames_at(time, 0, 15)
    off = (time[shown] - np.arange(len(shown)) / 15) * rate
    assert off.min() > -1
    assert off.max() <= 0.5 + 1e-6
    assert len(shown) / 15 == pytest.approx(300 / rate, abs=0.1)


def test_an_uneven_frame_stays_until_the_next_ones_time() -> None:
    time = np.array([0.0, 0.1, 0.5, 0.6, 0.61, 0.7])
    assert frames_at(time, 0, 10) == [0, 1, 1, 1, 1, 2, 4, 5]


@pytest.mark.parametrize("time", [[0, 0.02, 0.04, 3.0], [0, 3.0, 3.02, 3.04]])
def test_long_stills(time: list[float]) -> None:
    shown = frames_at(np.array(time), 0, 50)
    assert len(shown) in (151, 153)  # real time: three seconds, and the last picture's tick
    assert shown[0] == 0
    assert set(shown) >= {0, 3}
    assert np.all(np.diff(shown) >= 0)


def test_a_span_that_begins_later() -> None:
    time = _even(20, 10)
    assert frames_at(time, 14, 10) == [14, 15, 16, 17, 18, 19]
    assert frames_at(time, 14, 5) == [14, 16, 18]


def test_one_frame_alone() -> None:
    assert frames_at(np.array([0.0]), 0, 30) == [0]
    assert frames_at(_even(20, 10), 19, 10) == [19]


def _table(time: NDArray[np.float64], frames: list[int], size: tuple[int, int]) -> PoseTable:
    """A person in the lower right corner of the picture, who stands still."""
    count = len(frames)
    pose = np.zeros((count, 17, 3), np.float32)
    pose[:, :, 1] = np.linspace(-0.5, 0.5, 17)
    keypoints = np.ones((count, 17, 3), np.float32)
    keypoints[..., 0] = size[0] - 10
    keypoints[..., 1] = size[1] - np.linspace(4, 40, 17)
    return PoseTable(
        track=np.zeros(count, np.int32),
        frame=np.array(frames, np.int32),
        keypoints=keypoints,
        pose=pose,
        root=np.tile(np.array([0, 0, 4], np.float32), (count, 1)),
        filled=np.zeros(count, np.bool_),
        time=time,
        size=size,
        intrinsics=Intrinsics.assumed(size),
        meta=json.loads('{"video": {"name": "x.mp4"}}'),
    )


def _greys_in_turn(count: int) -> list[NDArray[np.uint8]]:
    return [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(count)]


def _greys(path: Path) -> list[int]:
    """Which of the grey frames each picture of the animation shows, read off its upper left."""
    with open_video(path) as video:
        return [round((float(np.median(frame.image[30:90, 40:140])) - 20) / 15) for frame in video.frames()]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_every_picture_shows_the_frame_of_its_time(suffix: str, write_video: Write, tmp_path: Path) -> None:
    stamps = [0.0, 0.04, 0.08, 0.12, 0.16, 0.36, 0.40, 0.44, 0.60, 0.64]
    greys = [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(10)]
    video = write_video(tmp_path / "x.mp4", greys, stamps=stamps)
    table = _table(np.array(stamps), list(range(2, 10)), (320, 240))
    animate(table, tmp_path / f"out{suffix}", video=video, **SMALL)
    shown = frames_at(np.array(stamps), 2, 25 if suffix == ".mp4" else 15)
    if suffix == ".mp4":
        assert shown == [2, 3, 4, 4, 4, 4, 4, 5, 6, 7, 7, 7, 7, 8, 9]
    else:
        assert shown == [2, 4, 4, 4, 5, 6, 7, 7, 8]
    assert _greys(tmp_path / f"out{suffix}") == shown


def test_a_video_that_ends_before_the_table(write_video: Write, tmp_path: Path) -> None:
    video = write_video(tmp_path / "x.mp4", [np.full((240, 320, 3), 200, np.uint8)] * 4)
    animate(_table(_even(8, 30), list(range(8)), (320, 240)), tmp_path / "out.mp4", video=video, **SMALL)
    assert len(_greys(tmp_path / "out.mp4")) == 8


def test_one_frame_makes_a_film_of_one_picture(write_video: Write, tmp_path: Path) -> None:
    video = write_video(tmp_path / "x.mp4", [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(6)])
    animate(_table(_even(6, 30), [4], (320, 240)), tmp_path / "out.mp4", video=video, **SMALL)
    assert _greys(tmp_path / "out.mp4") == [4]


def test_nobody_in_the_table(write_video: Write, tmp_path: Path) -> None:
    video = write_video(tmp_path / "x.mp4", [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(6)])
    animate(_table(_even(6, 30), [], (320, 240)), tmp_path / "out.mp4", video=video, **SMALL)
    assert _greys(tmp_path / "out.mp4") == list(range(6))


def test_what_cannot_be_drawn(write_video: Write, tmp_path: Path) -> None:
    video = write_video(tmp_path / "x.mp4", [np.zeros((240, 320, 3), np.uint8)] * 3)
    table = _table(_even(3, 30), [0, 1, 2], (320, 240))
    with pytest.raises(InputError, match=r"x\.mp4 is 320×240 pixels, the pose table's video was 640×480"):
        animate(replace(table, size=(640, 480)), tmp_path / "out.mp4", video=video, **SMALL)
    with pytest.raises(InputError, match="no such file"):
        animate(table, tmp_path / "out.mp4", video=tmp_path / "none.mp4", **SMALL)
    with pytest.raises(UsageError, match="must end in one of"):
        animate(table, tmp_path / "out.txt", video=video, **SMALL)
    with pytest.raises(OutputError):
        animate(table, video / "out.mp4", video=video, **SMALL)
    assert list(tmp_path.iterdir()) == [video]


def test_stray_time_stamps_make_no_endless_film(write_video: Write, tmp_path: Path) -> None:
    stamps = np.concatenate([np.arange(30) / 30, 3600 + np.arange(30) / 30])
    greys = [np.full((240, 320, 3), 20 + 3 * n, np.uint8) for n in range(60)]
    video = write_video(tmp_path / "x.mp4", greys, stamps=list(stamps))
    animate(_table(stamps, list(range(60)), (320, 240)), tmp_path / "out.mp4", video=video, **SMALL)
    shown = _greys(tmp_path / "out.mp4")
    assert len(shown) == 89  # the pause of an hour is shown for a second: 30 pictures instead of 108,000


@pytest.mark.parametrize(
    ("rate", "suffix", "fps", "expected"),
    [
        (120, ".mp4", None, 60),
        (30, ".mp4", None, 30),
        (120, ".gif", None, 15),
        (30, ".webm", 60, 60),
        (30, ".gif", 25, 25),
    ],
)
def test_the_rate_of_an_animation(rate: int, suffix: str, fps: float | None, expected: float) -> None:
    table = _table(_even(30, rate), [0, 1], (320, 240))
    assert animation_rate(table, Path(f"x{suffix}"), fps) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("fps", [0, -1, 60.5, float("nan"), float("inf")])
def test_a_rate_that_is_out_of_range(fps: float) -> None:
    with pytest.raises(UsageError, match="--fps takes a rate above 0 and up to 60"):
        animation_rate(_table(_even(3, 30), [0], (320, 240)), Path("x.mp4"), fps)


def test_a_film_of_another_rate(write_video: Write, tmp_path: Path) -> None:
    video = write_video(
        tmp_path / "x.mp4", [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(10)]
    )
    table = _table(_even(10, 30), list(range(10)), (320, 240))
    animate(table, tmp_path / "out.webm", video=video, fps=15, **SMALL)
    assert _greys(tmp_path / "out.webm") == [0, 2, 4, 6, 8]
    with open_video(tmp_path / "out.webm") as film:
        assert film.rate == 15


def test_a_still_shows_the_frame_of_its_time(write_video: Write, tmp_path: Path) -> None:
    video = write_video(
        tmp_path / "x.mp4", [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(10)]
    )
    table = _table(_even(10, 30), list(range(2, 10)), (320, 240))
    for at, frame in ((None, 5), (0.0, 0), (0.1, 3), (0.12, 3), (0.3, 9)):
        draw_still(table, tmp_path / "out.png", at=at, video=video, **SMALL)
        picture = _read(tmp_path / "out.png")
        assert picture.shape == (320, 640, 3)
        assert round((float(np.median(picture[30:90, 40:140])) - 20) / 15) == frame
    for at in (-0.1, 5.0):
        with pytest.raises(UsageError, match="--at takes seconds from 0 to"):
            draw_still(table, tmp_path / "out.png", at=at, video=video, **SMALL)


def test_a_sheet_shows_frames_evenly_in_time(write_video: Write, tmp_path: Path) -> None:
    video = write_video(
        tmp_path / "x.mp4", [np.full((240, 320, 3), 20 + 15 * n, np.uint8) for n in range(10)]
    )
    table = _table(_even(10, 30), list(range(1, 10)), (320, 240))
    draw_sheet(table, tmp_path / "out.png", count=5, video=video, **SMALL)
    sheet = _read(tmp_path / "out.png")
    assert sheet.shape == (3 * 320, 2 * 640, 3)
    cells = [sheet[y : y + 320, x : x + 640] for y in (0, 320, 640) for x in (0, 640)]
    greys = [round((float(np.median(cell[30:90, 40:140])) - 20) / 15) for cell in cells[:5]]
    assert greys == [1, 3, 5, 7, 9]
    assert np.ptp(cells[5].reshape(-1, 3), axis=0).max() == 0  # the last cell is empty
    draw_sheet(table, tmp_path / "out.png", count=40, video=None, **SMALL)  # more than there are
    for count in (0, 101):
        with pytest.raises(UsageError, match="--sheet takes a number of frames from 1 to 100"):
            draw_sheet(table, tmp_path / "out.png", count=count, **SMALL)


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path))[..., ::-1], np.uint8)
