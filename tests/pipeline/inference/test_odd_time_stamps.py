"""Odd time stamps from the file to the animation and the exported file, with a person who stands still."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from odd_video_corpus import stamped
from standing_detector import StandingPerson

from videopose.pipeline.exports.export_tables import ExportOptions, export_table
from videopose.pipeline.inference.animate import animate
from videopose.pipeline.inference.detect import detect
from videopose.pipeline.inference.lift import lift, load_video_lifter
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.video.reader import open_video

COUNT = 40
PATTERNS: dict[str, tuple[Callable[[int], float], float]] = {
    "pairs of frames": (lambda n: n // 2 / 15 + (0.002 if n % 2 else 0), COUNT / 30),
    "a pause of 3 s": (lambda n: n / 30 + (3 if n >= 20 else 0), COUNT / 30 + 1),
    "a jump of 20 hours": (lambda n: n / 30 + (20 * 3600 if n >= 20 else 0), COUNT / 30 + 1),
    "a time lapse": (lambda n: 2.5 * n, 2.5 * COUNT),
    "240 frames a second": (lambda n: n / 240, COUNT / 240),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_one_person_all_along(name: str, tmp_path: Path) -> None:
    stamps, longest = PATTERNS[name]
    path = stamped(stamps, ".mkv", COUNT)(tmp_path)
    options = InferOptions(people=None)
    lifter = load_video_lifter(options)
    tracemalloc.start()
    try:
        with open_video(path) as video:
            found = detect(video, options, StandingPerson())
        table = lift(found, options, lifter)
        export_table(table, tmp_path / "film.npz", ExportOptions(formats=("bvh",)), overwrite=False)
        animate(table, tmp_path / "film.3d.mp4", video=path, size=(400, 200))
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()
    assert table.meta["damaged"] is None
    assert len(table) == COUNT
    assert set(table.track) == {0}
    assert np.isfinite(table.pose).all()
    assert not table.filled.any()
    with open_video(tmp_path / "film.3d.mp4") as animation:
        assert animation.rate <= 60
        assert animation.duration is not None
        assert animation.duration <= 1.1 * longest + 0.1
