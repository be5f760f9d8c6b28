"""Find boxes of MP4 and QuickTime files by name (ISO/IEC 14496-12 §4.2; QuickTime File Format, "atoms").

Sizes in a file are not trusted: a box that does not fit into its parent ends the parent, only the paths that
the caller names are entered, and the number of boxes and bytes that are read is bounded.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_BOXES = 20_000  # read in one file; a phone's video has about a hundred
MOST_BYTES = 1 << 20  # of one box's content


@dataclass(frozen=True)
class Box:
    """The place of a box's content in its file.

    Attributes:
        kind: The four bytes that name it.
        start: First byte of the content.
        end: First byte after the content.
    """

    kind: bytes
    start: int
    end: int


class Mp4:
    """An open file of any kind. Methods raise `OSError` if it cannot be read.

    Attributes:
        movie: The `moov` box; None if the file is not an MP4 file, or is damaged before that box.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._whole = Box(b"", 0, file.seek(0, os.SEEK_END))
        self._looked_at = 0
        self.movie = next((box for box in self.children(self._whole) if box.kind == b"moov"), None)

    def children(self, parent: Box, *, skip: int = 0) -> Iterator[Box]:
        """Yield the boxes in a box, from `skip` bytes after its start up to the first damaged one."""
        at = parent.start + skip
        while at + 8 <= parent.end and self._looked_at < MOST_BOXES:
            self._looked_at += 1
            self._file.seek(at)
            header = self._file.read(16)
            if len(header) < 8:
                return
            size, kind = struct.unpack(">I4s", header[:8])
            start = at + 8
            if size == 1 and len(header) == 16:
                (size,) = struct.unpack(">Q", header[8:])
                start = at + 16
            elif size == 0 and parent is self._whole:  # the last one, to the end of the file
                size = parent.end - at
            at += size
            if not start <= at <= parent.end:
                return
            yield Box(kind, start, at)

    def find(self, *path: bytes, within: Box) -> Iterator[Box]:
        """Yield every box at a path below another, such as b"mdia", b"hdlr" within a track."""
        for box in self.children(within):
            if box.kind == path[0]:
                if len(path) == 1:
                    yield box
                else:
                    yield from self.find(*path[1:], within=box)

    def read(self, box: Box) -> bytes:
        """Return the content of a box; nothing if it is longer than `MOST_BYTES`."""
        size = box.end - box.start
        return self.head(box, size) if size <= MOST_BYTES else b""

    def head(self, box: Box, size: int) -> bytes:
        """Return the first bytes of a box's content."""
        self._file.seek(box.start)
        return self._file.read(min(size, box.end - box.start))
