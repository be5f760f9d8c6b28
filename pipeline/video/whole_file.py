"""Tell whole files by their structure. Their last picture may be shown for long, so times do not tell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_AVI_SLACK = 1 << 16  # bytes after the end that a file states; with more, it has several parts
_FLV_TAG = 11  # bytes of the header of a tag


def is_whole(path: Path) -> bool:
    """Whether an AVI or FLV file is as long as it states; False for files of other kinds."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(8)
            if head[:4] == b"RIFF":
                stated = 8 + int.from_bytes(head[4:], "little")
                return stated <= size < stated + _AVI_SLACK
            return head[:3] == b"FLV" and _ends_with_a_tag(file, size)
    except OSError:
        return False


def _ends_with_a_tag(file: BinaryIO, size: int) -> bool:
    """Whether an FLV file ends with a whole tag, which is followed by its size."""
    file.seek(max(size - 4, 0))
    tag = int.from_bytes(file.read(4), "big")
    if not _FLV_TAG <= tag <= size - 4:
        return False
    file.seek(size - 4 - tag)
    return int.from_bytes(file.read(_FLV_TAG)[1:4], "big") == tag - _FLV_TAG
