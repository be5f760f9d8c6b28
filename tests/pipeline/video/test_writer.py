import errno
import os
import signal
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import OutputError, UsageError
from videopose.pipeline.video import writer as video_out
from videopose.pipeline.video.writer import VideoWriter, _meaning, ffmpeg_executable

Image = NDArray[np.uint8]
RED, GREEN, BLUE, GREY = (220, 20, 20), (20, 180, 40), (30, 40, 200), (128, 128, 128)


def bars(width: int, height: int, shift: int = 0) -> Image:
    """Four upright bars of different colours."""
    colours = np.array([RED, GREEN, BLUE, GREY], np.uint8)
    row = colours[(np.arange(width) * 4 // width + shift) % 4]
    return np.repeat(row[None], height, axis=0)


def write(path: Path, images: list[Image], rate: float | Fraction = 30) -> Path:
    height, width = images[0].shape[:2]
    with VideoWriter(path, size=(width, height), rate=rate) as writer:
        for image in images:
            writer.write(image)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".MP4"])
def test_h264_that_plays_everywhere(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"out{suffix}", [bars(64, 48, n) for n in range(12)])
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (64, 48)
        assert stream.average_rate == Fraction(30)
        frames = list(container.decode(stream))
    assert [frame.time for frame in frames] == pytest.approx([n / 30 for n in range(12)], abs=1e-3)
    assert {(f.colorspace, f.color_primaries, f.color_trc, f.color_range) for f in frames} == {(1, 1, 1, 1)}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_another_reader_counts_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "out.mp4", [bars(64, 48, n) for n in range(12)], rate=25)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == 25
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == 12


def test_colours_come_back(tmp_path: Path) -> None:
    images = [bars(128, 64, n // 5) for n in range(20)]
    path = write(tmp_path / "out.mp4", images)
    with av.open(str(path)) as container:
        for frame, image in zip(container.decode(video=0), images, strict=True):
            seen = frame.to_ndarray(format="rgb24").astype(int)
            for x in (16, 48, 80, 112):  # the middle of each bar
                assert np.abs(seen[32, x] - image[32, x]).max() <= 6


def test_the_index_comes_first(tmp_path: Path) -> None:
    content = write(tmp_path / "out.mp4", [bars(64, 48)] * 5).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(
    ("rate", "kept"),
    [
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (30000 / 1001, Fraction(30000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (59.94005994005994, Fraction(60000, 1001)),
        (12.5, Fraction(25, 2)),
        (240.0, Fraction(240)),
    ],
)
def test_rates_are_kept_exactly(tmp_path: Path, rate: float | Fraction, kept: Fraction) -> None:
    path = write(tmp_path / "out.mp4", [bars(64, 48, n) for n in range(6)], rate=rate)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == kept


@pytest.mark.parametrize(("size", "padded"), [((65, 47), (66, 48)), ((64, 47), (64, 48)), ((1, 1), (2, 2))])
def test_odd_sizes_are_padded(tmp_path: Path, size: tuple[int, int], padded: tuple[int, int]) -> None:
    path = write(tmp_path / "out.mp4", [bars(*size)] * 3)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [padded] * 3


@pytest.mark.parametrize(("rate", "seconds"), [(10, 1.2), (30, 0.4), (60, 0.2)])
def test_gif(tmp_path: Path, rate: int, seconds: float) -> None:
    images = [bars(65, 47, n // 3) for n in range(12)]
    path = write(tmp_path / "out.gif", images, rate=rate)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "gif"
        frames = list(container.decode(stream))
        assert len(frames) == (12 if rate <= 50 else 10)  # browsers slow down what is faster than 50
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(seconds, abs=0.02)
    assert (frames[0].width, frames[0].height) == (65, 47)
    first, last = frames[0].to_ndarray(format="rgb24"), frames[-1].to_ndarray(format="rgb24")
    for x in (8, 24, 40, 56):
        assert np.abs(first[20, x].astype(int) - images[0][20, x]).max() <= 12
        assert np.abs(last[20, x].astype(int) - images[-1][20, x]).max() <= 12
    assert [p.name for p in tmp_path.iterdir()] == ["out.gif"]


def test_an_odd_name_and_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(Path("http:a new, 'odd' folder", "-%03d [x].mp4"), [bars(64, 48)] * 3)
    with av.open(f"file:{path}") as container:
        assert len(list(container.decode(video=0))) == 3
    gif = write(path.with_suffix(".gif"), [bars(64, 48)] * 3)
    assert gif.is_file()


def test_a_view_that_is_not_contiguous(tmp_path: Path) -> None:
    image = np.ascontiguousarray(bars(64, 48)[:, ::-1])[:, ::-1]
    path = write(tmp_path / "out.mp4", [image] * 3)
    with av.open(str(path)) as container:
        seen = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert np.abs(seen[24, 8] - RED).max() <= 6


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in one of \.mp4, \.mov, \.mkv, \.webm, \.gif"):
        VideoWriter(tmp_path / "out.avi", size=(64, 48), rate=30)


@pytest.mark.parametrize(("size", "rate"), [((0, 48), 30), ((64, -1), 30), ((64, 48), 0), ((64, 48), -5.0)])
def test_sizes_and_rates_that_cannot_be(tmp_path: Path, size: tuple[int, int], rate: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        VideoWriter(tmp_path / "out.mp4", size=size, rate=rate)


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 63, 3), np.uint8), np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)],
    ids=["size", "grey", "float"],
)
def test_a_wrong_frame_is_refused_and_leaves_nothing(tmp_path: Path, image: Image) -> None:
    def attempt() -> None:
        with VideoWriter(tmp_path / "out.mp4", size=(64, 48), rate=30) as writer:
            writer.write(bars(64, 48))
            writer.write(image)

    with pytest.raises(ValueError, match=r"frames must be \(48, 64, 3\) uint8"):
        attempt()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_an_exception_leaves_the_old_file_and_no_process(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"old")

    def attempt() -> None:
        with VideoWriter(path, size=(64, 48), rate=30) as writer:
            writer.write(bars(64, 48))
            assert children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert not children()


def test_no_frames_at_all(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="there are no frames"),
        VideoWriter(tmp_path / "out.mp4", size=(64, 48), rate=30),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_places_that_cannot_be_written(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / f"folder{suffix}").mkdir()
    places = (tmp_path / "file" / f"out{suffix}", Path(f"/proc/out{suffix}"), tmp_path / f"folder{suffix}")
    for path in places:
        with (
            pytest.raises(OutputError, match=f"cannot write {path}"),
            VideoWriter(path, size=(64, 48), rate=30) as writer,
        ):
            writer.write(bars(64, 48))
    assert not children()


def children() -> list[int]:
    """This process's ffmpeg processes, dead ones that nobody waited for included."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            pid, rest = status.read_text().split(" (", 1)
            name, rest = rest.rsplit(") ", 1)
            if "ffmpeg" in name and int(rest.split()[1]) == os.getpid():
                found.append(int(pid))
    return found


def kill_ffmpeg() -> None:
    (process,) = children()
    os.kill(process, signal.SIGKILL)


def test_ffmpeg_that_dies_midway(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    writer = VideoWriter(tmp_path / "out.mp4", size=(640, 480), rate=30)

    def attempt() -> None:
        with writer:
            writer.write(noise)
            kill_ffmpeg()
            for _ in range(1000):
                writer.write(noise)

    with pytest.raises(OutputError, match=r"out.mp4: ffmpeg failed \(ended with code -9\)"):
        attempt()
    assert writer.count < 1000
    assert not list(tmp_path.iterdir())


def test_ffmpeg_that_dies_at_the_end(tmp_path: Path) -> None:
    def attempt() -> None:
        with VideoWriter(tmp_path / "out.mp4", size=(64, 48), rate=30) as writer:
            writer.write(bars(64, 48))
            kill_ffmpeg()

    with pytest.raises(OutputError, match=r"ffmpeg failed \(ended with code -9\)"):
        attempt()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (256 - errno.ENOSPC, os.strerror(errno.ENOSPC)),
        (2**32 - errno.ENOSPC, os.strerror(errno.ENOSPC)),  # on Windows
        (1, "ended with code 1"),
        (-9, "ended with code -9"),
        (183, "ended with code 183"),  # invalid data
    ],
)
def test_ffmpeg_that_cannot_say_why(code: int, said: str) -> None:
    assert _meaning(code) == said


def test_ffmpeg_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"ffmpeg failed \(.+\)$") as caught,
        VideoWriter(tmp_path / "out.mp4", size=(40_000, 2), rate=30) as writer,  # more than x264 takes
    ):
        writer.write(np.zeros((2, 40_000, 3), np.uint8))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_chatty_ffmpeg_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ffmpeg_executable()
    fake = tmp_path / "ffmpeg"
    script(fake, f"head -c 1000000 /dev/zero | tr '\\0' 'x' >&2\nexec '{real}' \"$@\"")
    monkeypatch.setattr(video_out, "ffmpeg_executable", lambda: str(fake))
    path = write(tmp_path / "out.mp4", [bars(64, 48)] * 5)
    assert path.is_file()


def test_which_ffmpeg_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = imageio_ffmpeg.get_ffmpeg_exe()
    system = tmp_path / "ffmpeg"
    find = ffmpeg_executable.__wrapped__
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() == carried  # none on PATH
    script(system, f'exec "{carried}" "$@"')
    assert find() == str(system)
    script(system, "echo ' V..... libopenh264 '")
    assert find() == carried  # one that cannot write what is needed
    script(system, "exit 1")
    assert find() == carried
