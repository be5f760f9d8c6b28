"""Read the focal length that phones write to a file's QuickTime metadata.

Apple's key is `com.apple.quicktime.camera.focal_length.35mm_equivalent`, in the metadata of the video track.
Its value is a text such as "50.00mm" in AVFoundation's documentation, and a whole number in files of many
phones. Names are in the box `keys` under the name space mdta, values in `ilst` (QuickTime File Format,
"Metadata atoms"). ffmpeg and other editors move such keys to the metadata of the movie. A key of any maker
that ends in the same words is read. Android's muxer writes there too (com.android.version, .capture.fps,
.manufacturer, .model), but none of its documented keys describes the lens: `phone` reads the model.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .known_camera import KnownCamera, by_equivalent_focal_length
from .mp4 import Box, Mp4

_KEY = b"camera.focal_length.35mm_equivalent"

# "Well-known types" of the QuickTime File Format. Numbers are big-endian, and 21 and 22 of any length.
_TEXT = {1: "utf-8", 2: "utf-16-be", 4: "utf-8", 5: "utf-16-be"}
_FLOAT = {23: ">f", 24: ">d"}
_SIGNED, _UNSIGNED = (21, 65, 66, 67, 74), (22, 75, 76, 77, 78)


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the file's QuickTime metadata; a `CameraReader`."""
    with suppress(OSError), path.open("rb") as file:
        return by_equivalent_focal_length(focal_lengths(Mp4(file)), size, "QuickTime metadata")
    return None


def focal_lengths(file: Mp4) -> Iterator[str | float]:
    """Yield 35 mm equivalent focal lengths as they are written: those of video tracks, then the movie's."""
    return metadata(file, _KEY)


def metadata(file: Mp4, ending: bytes) -> Iterator[str | float]:
    """Yield the values of keys that end in `ending`: those of video tracks, then the movie's."""
    if file.movie is None:
        return
    for track in file.find(b"trak", within=file.movie):
        if any(file.read(box)[8:12] == b"vide" for box in file.find(b"mdia", b"hdlr", within=track)):
            for meta in file.find(b"meta", within=track):
                yield from _values(file, meta, ending)
    for path in ((b"meta",), (b"udta", b"meta")):
        for meta in file.find(*path, within=file.movie):
            yield from _values(file, meta, ending)


def _values(file: Mp4, meta: Box, ending: bytes) -> Iterator[str | float]:
    """Yield the values of the wanted keys in a `meta` box."""
    # A QuickTime `meta` box begins with its first child, an ISO one with four bytes of version and flags.
    skip = 0 if file.head(meta, 8)[4:] in (b"hdlr", b"keys", b"ilst") else 4
    boxes = {box.kind: box for box in file.children(meta, skip=skip)}
    if b"keys" not in boxes or b"ilst" not in boxes:
        return
    names = enumerate(_names(file.read(boxes[b"keys"])), 1)
    wanted = {struct.pack(">I", number) for number, name in names if name.endswith(ending)}
    for item in file.children(boxes[b"ilst"]):
        if item.kind in wanted:
            for data in file.find(b"data", within=item):
                if (value := _value(file.read(data))) is not None:
                    yield value


def _names(keys: bytes) -> Iterator[bytes]:
    """Yield the names in a `keys` box, in order; names outside the name space mdta are empty."""
    at = 8  # after version, flags and count
    while at + 8 <= len(keys):
        size, space = struct.unpack_from(">I4s", keys, at)
        if size < 8:
            return
        yield keys[at + 8 : at + size] if space == b"mdta" else b""
        at += size


def _value(data: bytes) -> str | float | None:
    """Return the value in a `data` box: four bytes of type, four of language and country, then the value."""
    if len(data) < 9:
        return None
    (kind,), value = struct.unpack_from(">I", data), data[8:]
    if kind in _TEXT:
        return value[:64].decode(_TEXT[kind], "replace")
    if kind in _FLOAT and len(value) == struct.calcsize(_FLOAT[kind]):
        return float(*struct.unpack(_FLOAT[kind], value))
    if kind in (*_SIGNED, *_UNSIGNED) and len(value) <= 8:
        return int.from_bytes(value, "big", signed=kind in _SIGNED)
    return None
