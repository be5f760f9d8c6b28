"""Open a file with libav, choose its video stream, and read what the file states of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ...errors import InputError
from .picture_size import DECODER_OPTIONS
from .source import allowed_formats

DEFAULT_RATE = 25.0  # frames per second, if a stream states none
_HIGHEST_MEAN = 300.0  # frames per second: DV files state their time base in place of their mean rate


def open_container(path: Path) -> InputContainer:
    """Open a file.

    Raises:
        InputError: There is no such file, or it is not a video.
    """
    try:
        # "file:" so that a name is not taken for a URL.
        # Tags are free text, often in other encodings than UTF-8.
        return av.open(f"file:{path}", "r", options=container_options(), metadata_errors="replace")
    except FileNotFoundError:
        raise InputError(f"cannot read {path}: there is no such file") from None
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"cannot read {path}: it is not a video, or too damaged to open ({_reason(error)})"
        ) from error


def container_options() -> dict[str, str]:
    """Return the options of libav by which no other file or device is opened."""
    return {"protocol_whitelist": "file", "format_whitelist": allowed_formats(), **DECODER_OPTIONS}


def first_video(path: Path, streams: av.container.streams.StreamContainer) -> VideoStream:
    """Return the first video stream; cover pictures do not count.

    Args:
        path: The file, for messages.
        streams: Its streams.

    Raises:
        InputError: There is none, or its codec is unknown.
    """
    found = [stream for stream in streams.video if not stream.disposition & Disposition.attached_pic]
    if found:
        # AVIF and HEIF sequences begin with a stream of one picture.
        moving = [stream for stream in found if stream.frames > 1]
        stream = moving[0] if found[0].frames == 1 and moving else found[0]
        if stream.codec_context is None:
            raise InputError(f"cannot read {path}: its video codec is unknown")
        return stream
    what = "only sound" if streams.audio else "no video"
    raise InputError(f"cannot read {path}: it holds {what}")


def stated_rate(stream: VideoStream, *, untimed: bool) -> float:
    """Return the frame rate that a stream states.

    The mean rate is libav's 25 for raw streams, whatever their pictures say, and the time base for DV. For
    these the rate that libav guesses from the pictures is right.

    Args:
        stream: The stream.
        untimed: Whether the file has no time stamps.
    """
    mean, guessed = float(stream.average_rate or 0), float(stream.guessed_rate or 0)
    of_pictures = float(stream.codec_context.framerate or 0)
    rates = [mean, guessed]
    if untimed or mean > _HIGHEST_MEAN:
        rates = [of_pictures if untimed else 0.0, guessed, mean]
    return next((rate for rate in rates if 0 < rate < math.inf), DEFAULT_RATE)


def seconds_of(text: str) -> float | None:
    """Return the seconds of hours:minutes:seconds, as Matroska's tags state them; None for other texts."""
    match = re.fullmatch(r"\s*(\d{1,6}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,12}))?\s*", text, re.ASCII)
    if match is None:
        return None
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    total = 3600 * hours + 60 * minutes + seconds + float(f"0.{match[4] or 0}")
    return total or None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
