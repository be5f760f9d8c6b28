"""Write frames with ffmpeg: to a video that browsers and phones play, or to an animated GIF."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ffmpeg
import imageio_ffmpeg
import numpy as np

from ...detectors.people import Image
from ...errors import OutputError, UsageError
from ...files import partial_file, replacing

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".gif")
_BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}
_COLOURS = {**_BT709, "color_range": "tv", "pix_fmt": "yuv420p"}
_VP9_CRF = 10  # VP9's crf is about this much higher at equal quality
_DISK_FULL = (errno.ENOSPC, errno.EFBIG)
GIF_MAX_RATE = 50  # browsers play a GIF with a higher rate at 10 frames per second


@dataclass(frozen=True)
class Quality:
    """How well H.264 is encoded.

    Attributes:
        crf: x264's quality: 18 looks lossless, 23 is its default, higher is smaller.
        bits: The most bits a second; None for no limit.
        keyframe_every: Frames from one key frame to the next, at most; None for the encoder's choice.
    """

    crf: int = 20
    bits: int | None = None
    keyframe_every: int | None = None


class VideoWriter:
    """A context manager that writes frames: H.264 in .mp4, .mov or .mkv, VP9 in .webm, or an animated .gif.

        with VideoWriter("out.mp4", size=(1200, 600), rate=30) as writer:
            writer.write(image)

    The file gets its name when the block ends without an exception; otherwise no file is left. Memory does
    not grow with the number of frames. A GIF's palette is made of all frames, so they are first written to a
    lossless temporary file beside it.

    Args:
        path: File to write.
        size: Width and height of the frames in pixels. If one is odd, a row or column is added, which
            H.264's colour format requires.
        rate: Frames per second, constant.
        quality: How well H.264 is encoded.

    Raises:
        UsageError: The suffix is not in `SUFFIXES`.
        ValueError: Size or rate is not positive.
        OutputError: In the block: the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        size: tuple[int, int],
        rate: float | Fraction,
        quality: Quality = Quality(),
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"cannot write {self.path}: its name must end in one of {', '.join(SUFFIXES)}")
        # Files state the rate as a fraction of whole numbers: 29.97… is 30000/1001.
        self.rate = Fraction(rate).limit_denominator(100_100)
        self.size = size
        self.quality = quality
        if min(size) < 1 or self.rate <= 0:
            raise ValueError(f"size and rate must be positive, not {size} and {rate}")
        self.count = 0

    def __enter__(self) -> Self:
        self._context = _encoder(self.path, self.size, self.rate, self.quality)
        self._encoder = self._context.__enter__()
        return self

    def write(self, image: Image) -> None:
        """Append one frame.

        Args:
            image: (H, W, 3) uint8, RGB.

        Raises:
            ValueError: The image has another size or type.
            OutputError: ffmpeg failed.
        """
        width, height = self.size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise ValueError(f"frames must be {(height, width, 3)} uint8, not {image.shape} {image.dtype}")
        self._encoder.write(np.ascontiguousarray(image).data)
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.count == 0:
            nothing = OutputError(f"cannot write {self.path}: there are no frames")
            kind, error = type(nothing), nothing
            self._context.__exit__(kind, error, None)
            raise nothing
        self._context.__exit__(kind, error, trace)


@cache
def ffmpeg_executable() -> str:
    """Return the ffmpeg to run: the one on PATH if it has the encoders, else the one in imageio-ffmpeg.

    Raises:
        OutputError: There is neither.
    """
    if (system := shutil.which("ffmpeg")) and _has_encoders(system):
        return system
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise OutputError(
            "there is no ffmpeg that can write H.264: install ffmpeg, or reinstall imageio-ffmpeg"
        ) from error


def _has_encoders(executable: str) -> bool:
    """Whether this ffmpeg was built with x264 and libvpx."""
    try:
        answer = subprocess.run(
            [executable, "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and all(name in answer.stdout for name in (b" libx264 ", b" libvpx-vp9 "))


class _Ffmpeg:
    """One run of ffmpeg, as a context manager.

    ffmpeg ends with the block; if the block ends with an exception, it is killed. stream: made by
    ffmpeg-python. path: the file that error messages name.
    """

    def __init__(self, stream: Any, path: Path) -> None:
        self._path = path
        command = stream.global_args("-hide_banner", "-loglevel", "error", "-nostdin").overwrite_output()
        # ffmpeg's messages go to a file: a pipe that is not read would stop it once full.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            self._process = subprocess.Popen(
                [ffmpeg_executable(), *map(_with_name, command.compile()[1:])],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )
        except OSError as error:
            self._said.close()
            raise OutputError(f"cannot write {path}: ffmpeg cannot be started ({error.strerror})") from error

    def __enter__(self) -> Self:
        return self

    def write(self, data: memoryview) -> None:
        """Write to ffmpeg's standard input; waits while ffmpeg is busy."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError:  # ffmpeg has ended, and its messages say why
            self._process.kill()
            raise self._failure() from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with self._said:
            if error is not None:
                self._process.kill()
            with suppress(OSError):  # the return code shows the failure
                self._process.stdin.close()
            try:
                failed = self._process.wait() != 0
            except BaseException:  # interrupted while ffmpeg finished
                self._process.kill()
                self._process.wait()
                raise
            if failed and error is None:
                raise self._failure()

    def _failure(self) -> OutputError:
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        reason = lines[-1].strip() if lines else _meaning(code)
        return OutputError(f"cannot write {self._path}: ffmpeg failed ({reason})")


def _meaning(code: int) -> str:
    """Say what an exit code of ffmpeg means. On a full disk, its messages may not fit either."""
    failed = -code % 256 if code > 0 else 0  # it is the negative number of the system's error
    return os.strerror(failed) if failed in _DISK_FULL else f"ended with code {code}"


def _file(path: Path) -> str:
    """Return ffmpeg's name of a file. ffmpeg-python takes no surrogates, so each character is a byte."""
    return f"file:{os.fsencode(path).decode('latin-1')}"


def _with_name(argument: str) -> str:
    """Return an argument with the name that `_file` has encoded; others are ASCII and stay."""
    return os.fsdecode(argument.encode("latin-1"))


@contextmanager
def _encoder(path: Path, size: tuple[int, int], rate: Fraction, quality: Quality) -> Iterator[_Ffmpeg]:
    """Run an ffmpeg that reads raw RGB frames; `path` exists when the block has ended."""
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder")
    frames = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", video_size=size, framerate=str(rate))
    with replacing(path) as target:
        if path.suffix.lower() != ".gif":
            encode = _vp9 if path.suffix.lower() == ".webm" else _h264
            with _Ffmpeg(encode(frames, target, quality), path) as encoder:
                yield encoder
            return
        with partial_file(path, ".mkv") as lossless, partial_file(path, ".png") as palette:
            if rate > GIF_MAX_RATE:
                frames = frames.filter("fps", GIF_MAX_RATE)
            first = frames.output(_file(lossless), vcodec="libx264rgb", preset="ultrafast", crf=0)
            with _Ffmpeg(first, path) as encoder:
                yield encoder
            for step in _gif(lossless, palette, target):
                with _Ffmpeg(step, path):
                    pass


def _h264(frames: Any, target: Path, quality: Quality) -> Any:
    """Encode raw frames as H.264 that every browser and phone plays, with its colour space stated."""
    options: dict[str, Any] = {"vcodec": "libx264", "preset": "veryfast", "crf": quality.crf}
    if quality.bits is not None:
        options |= {"maxrate": quality.bits, "bufsize": quality.bits}
    if quality.keyframe_every is not None:
        options["g"] = quality.keyframe_every
    if target.suffix.lower() != ".mkv":
        options["movflags"] = "+faststart"  # index first, so that a page can play it while it loads
    return _yuv(frames).output(_file(target), **options, **_COLOURS)


def _vp9(frames: Any, target: Path, quality: Quality) -> Any:
    """Encode raw frames as VP9, at a speed that suits animations."""
    options: dict[str, Any] = {"vcodec": "libvpx-vp9", "crf": quality.crf + _VP9_CRF, "video_bitrate": 0}
    options |= {"deadline": "good", "cpu-used": 5, "row-mt": 1}
    return _yuv(frames).output(_file(target), **options, **_COLOURS)


def _yuv(frames: Any) -> Any:
    """Convert raw RGB frames to the colours that players expect, at an even size."""
    return (
        frames.filter("pad", "ceil(iw/2)*2", "ceil(ih/2)*2")
        .filter("scale", out_color_matrix="bt709", out_range="tv")
        .filter("format", "yuv420p")
        .filter("setparams", **{**_BT709, "range": "tv"})
    )


def _gif(lossless: Path, palette: Path, target: Path) -> tuple[Any, Any]:
    """The two steps from a video to a GIF: one palette for all frames, then the frames in its colours."""
    video = ffmpeg.input(_file(lossless))
    choose = video.filter("palettegen").output(_file(palette), vframes=1, update=1)
    # An ordered dither is several times faster than error diffusion, and keeps still parts still.
    options = {"dither": "bayer", "bayer_scale": 4, "diff_mode": "rectangle"}
    mapped = ffmpeg.filter([video, ffmpeg.input(_file(palette))], "paletteuse", **options)
    return choose, mapped.output(_file(target))
