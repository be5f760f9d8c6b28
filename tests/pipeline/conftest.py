"""A short real clip, what the command line makes of it, and ways to run the one and to write others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import browser
from videopose.pipeline.cli.main import main
from videopose.pipeline.video.reader import open_video

Image = NDArray[np.uint8]
SIZE = (592, 332)


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, and what it said."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith(("error:", "bug:"))]


def _write(
    path: Path, images: Iterable[Image], *, stamps: Sequence[float] | None = None, rotation: float = 0
) -> Path:
    stream: Any = None
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        for number, image in enumerate(images):
            if stream is None:
                stream = container.add_stream("libx264", rate=30)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt, stream.options = "yuv420p", {"crf": "12", "preset": "veryfast"}
                stream.codec_context.time_base = Fraction(1, 15360)
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((stamps[number] if stamps is not None else number / 30) * 15360)
            frame.time_base = Fraction(1, 15360)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def write_video() -> Callable[..., Path]:
    """(path, images, stamps in seconds, display rotation) → an H.264 video there."""
    return _write


@pytest.fixture(scope="session")
def images(demo_clip: Path) -> list[Image]:
    """46 frames of the demo clip, in which two people walk, at a third of their size."""
    with open_video(demo_clip) as video:
        return [
            np.asarray(cv2.resize(frame.image, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
            for frame in video.frames(start=2.5, end=2.5 + 45.5 / 30)
        ]


@pytest.fixture(scope="session")
def clip(images: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert len(images) == 46
    return _write(tmp_path_factory.mktemp("clip") / "clip.mp4", images)


@pytest.fixture(scope="session")
def finished(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder with the clip, in which `videopose infer clip.mp4 --people 2` was run; and how that went."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(clip, folder)
    command = [sys.executable, "-m", "videopose", "infer", "clip.mp4", "--people", "2"]
    environment = os.environ | {"COLUMNS": "120"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return folder, Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def videopose(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """The command line in this process, where warnings are errors."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        code = ended.value.code
        assert isinstance(code, int)
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def open_tab() -> Iterator[Callable[..., browser.Tab]]:
    """Open an empty page in a browser without a window."""
    with browser.started() as opener:
        yield opener
