"""Bound the size of pictures: a header of a few bytes can declare pictures of gigabytes."""

from __future__ import annotations

import re
from pathlib import Path

import av
import av.logging

MOST_PIXELS = 1 << 27
"""Pixels of the largest picture that is read: 16384 × 8192, as the largest cameras for 360° film."""

DECODER_OPTIONS = {"max_pixels": str(MOST_PIXELS)}
"""libav's options; its decoders refuse a larger picture before they allocate memory for it."""

_REFUSED = re.compile(r"Picture size (\d{1,10})x(\d{1,10}) (?:exceeds|is invalid)")


def objection_to_size(width: int, height: int) -> str | None:
    """Return why pictures of this size are not read, as a clause; None if they are."""
    if width * height <= MOST_PIXELS:
        return None
    return (
        f"its pictures have {width}×{height} pixels; those of up to {MOST_PIXELS:,} pixels are read, so "
        "scale it down first"
    )


def objection_of_libav(path: Path, options: dict[str, str]) -> str | None:
    """Return why libav gives no picture of a video, if the reason is their size; else None.

    The file is opened once more, with libav's messages, which are the only place where it says so.

    Args:
        path: The video.
        options: With which it is opened.
    """
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as messages:
            _decode_one(path, options)
    finally:
        av.logging.set_skip_repeated(skips)
        av.logging.set_level(level)
    for _, _, text in reversed(messages):
        if found := _REFUSED.search(text):
            return objection_to_size(int(found[1]), int(found[2]))
    return None


def _decode_one(path: Path, options: dict[str, str]) -> None:
    try:
        with av.open(f"file:{path}", "r", options=options, metadata_errors="replace") as container:
            codec = container.streams.video[0].codec_context
            codec.options = DECODER_OPTIONS
            for packet in container.demux(video=0):
                if codec.decode(packet):
                    return
    except (av.FFmpegError, OSError, IndexError):
        pass
