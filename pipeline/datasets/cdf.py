"""Read one variable of a CDF file, NASA's Common Data Format ("CDF Internal Format Description", 2.6 and 3).

Records are found by offsets, counts and sizes in the file. cdflib trusts these, and loops for hours over
wrong ones. Here each record is visited once, and what is compressed is unpacked up to a bound.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...bounded import RATIO, SPARE, read_file

_MAGIC = {b"\xcd\xf3\x00\x01": (8, 256), b"\xcd\xf2\x60\x02": (4, 64)}  # bytes of an offset and of a name
_PLAIN = b"\x00\x00\xff\xff"  # the second magic number of a file that is not compressed as a whole
_DESCRIPTOR, _GLOBAL, _VARIABLE, _INDEX, _VALUES = 1, 2, 8, 6, 7  # kinds of records
_WHOLE, _COMPRESSED = 10, 13  # compressed ones: all that follows, values
_ROW_MAJOR, _SINGLE_FILE = 1, 2  # flags of the descriptor
_LITTLE_ENDIAN = (4, 6, 13, 16, 17)  # encodings
_TYPES = {21: "f4", 44: "f4", 22: "f8", 45: "f8"}
_LARGEST = 1 << 30  # bytes of a file; Human3.6M's have a few megabytes
_MOST_DIMENSIONS = 10


def read_cdf(path: Path, name: str) -> NDArray[np.floating]:
    """Return all records of a variable of real numbers.

    Args:
        path: The file.
        name: The name of the variable, which is a zVariable.

    Returns:
        (records, *dimensions)

    Raises:
        InputError: The file is missing, or no regular file.
        KeyError: There is no such variable.
        ValueError: The file is damaged, or would unpack to far more than its size.
    """
    return _File(read_file(path, limit=_LARGEST)).variable(name)


@dataclass
class _Record:
    """The content of a record, which is read field by field."""

    data: memoryview
    width: int
    kind: int = 0
    at: int = 0

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "big", signed=True)

    def offset(self) -> int:
        return self.number(self.width)

    def numbers(self, count: int, size: int = 4) -> list[int]:
        return [self.number(size) for _ in range(self._possible(count * size) // size)]

    def take(self, count: int) -> bytes:
        part = bytes(self.data[self.at : self.at + self._possible(count)])
        self.at += count
        return part

    def _possible(self, count: int) -> int:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError("a record ends early")
        return count


class _File:
    def __init__(self, data: bytes) -> None:
        if data[:4] not in _MAGIC:
            raise ValueError("it is no CDF file")
        self._width, self._name_size = _MAGIC[data[:4]]
        self._left = SPARE + RATIO * len(data)  # bytes that it may unpack to
        self._visited: set[int] = set()
        self._below: set[int] = set()
        self._data = memoryview(data)
        if data[4:8] != _PLAIN:
            self._data = memoryview(data[:8] + self._unpacked_whole())
            self._visited.clear()
        descriptor = self._record(8, _DESCRIPTOR)
        self._globals = descriptor.offset()
        descriptor.numbers(2)  # version, release
        self._order = "<" if descriptor.number() in _LITTLE_ENDIAN else ">"
        flags = descriptor.number()
        self._row_major = bool(flags & _ROW_MAJOR)
        if not flags & _SINGLE_FILE:
            raise ValueError("its variables are in other files")

    def _unpacked_whole(self) -> bytes:
        """Return what follows the magic numbers in a file that is compressed as a whole."""
        record = self._record(8, _WHOLE)
        record.offset()  # parameters of the compression
        size = record.offset()
        record.number()
        self._left -= max(size, 0)
        if self._left < 0:
            raise ValueError("it unpacks to far more than its size")
        return _gunzip(record.take(len(record.data) - record.at), size)

    def variable(self, name: str) -> NDArray[np.floating]:
        about = self._record(self._globals, _GLOBAL)
        about.offset()  # rVariables
        at = about.offset()
        while at > 0:
            record = self._record(at, _VARIABLE)
            at = record.offset()
            kind, last = record.numbers(2)
            index = record.offset()
            record.offset()
            record.numbers(5)  # flags, sparse records, three of no use
            elements = record.number()
            record.number()
            record.offset()  # parameters of the compression, which is gzip's wherever it is used
            record.number()
            if record.take(self._name_size).rstrip(b"\0 ") == name.encode():
                return self._values(record, kind, last + 1, index, elements)
        raise KeyError(name)

    def _values(
        self, record: _Record, kind: int, count: int, index: int, elements: int
    ) -> NDArray[np.floating]:
        dimensions = record.number()
        if not 0 <= dimensions <= _MOST_DIMENSIONS or kind not in _TYPES or elements != 1:
            raise ValueError(f"a variable of type {kind} with {dimensions} dimensions")
        sizes, varies = record.numbers(dimensions), record.numbers(dimensions)
        shape = [size for size, used in zip(sizes, varies, strict=True) if used]
        dtype = np.dtype(self._order + _TYPES[kind])
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=1) < 1 or not 0 < count * size <= self._left:
            raise ValueError(f"{count} records of shape {tuple(shape)}, which the file does not hold")
        parts = self._collect(index, size, count)
        data, begin = bytearray(), 0
        for first in sorted(parts):
            if first != begin:
                raise ValueError(f"record {begin} is missing")
            data += parts[first]
            begin = first + len(parts[first]) // size
        values = np.frombuffer(bytes(data), dtype).reshape(-1, *shape[:: 1 if self._row_major else -1])
        if len(values) != count:
            raise ValueError(f"expected {count} records, found {len(values)}")
        return values if self._row_major else values.transpose(0, *range(values.ndim - 1, 0, -1))

    def _collect(self, at: int, size: int, count: int) -> dict[int, bytes]:
        """Collect the bytes of records by the number of the first one, from an index and those below it."""
        parts: dict[int, bytes] = {}
        below = [at]
        while below:
            index = self._index(below.pop())
            if (following := index.offset()) > 0:
                below.append(following)
            entries, used = index.numbers(2)
            firsts, lasts = index.numbers(entries), index.numbers(entries)
            offsets = index.numbers(entries, self._width)
            for first, last, place in list(zip(firsts, lasts, offsets, strict=True))[: max(used, 0)]:
                record = self._record(place)
                if record.kind == _INDEX:
                    below.append(place)
                    self._below.add(place)
                    continue
                wanted = (last - first + 1) * size
                if not 0 <= first <= last < count or first in parts:
                    raise ValueError(f"records {first} to {last} of {count}")
                parts[first] = self._content(record, wanted)
        return parts

    def _index(self, at: int) -> _Record:
        """Return an index record; one that is below another was seen there before."""
        if at in self._below:
            self._visited.discard(at)
            self._below.discard(at)
        return self._record(at, _INDEX)

    def _content(self, record: _Record, wanted: int) -> bytes:
        self._left -= wanted
        if self._left < 0:
            raise ValueError("it unpacks to far more than its size")
        if record.kind == _VALUES:
            return record.take(wanted)
        if record.kind != _COMPRESSED:
            raise ValueError(f"a record of kind {record.kind} among values")
        record.number()
        return _gunzip(record.take(record.offset()), wanted)

    def _record(self, at: int, kind: int | None = None) -> _Record:
        """Return the record at a place. Each can be visited once, so that a chain of records ends."""
        if at in self._visited:
            raise ValueError("its records go in circles")
        self._visited.add(at)
        head = _Record(self._data[max(at, 0) :], self._width)
        size, found = head.offset(), head.number()
        if at < 8 or not head.at <= size <= len(head.data) or kind not in (None, found):
            raise ValueError(f"no record of kind {kind} at {at}")
        return _Record(head.data[head.at : size], self._width, kind=found)


def _gunzip(packed: bytes, size: int) -> bytes:
    """Return `size` bytes, the content of a compressed record."""
    if size < 1:
        raise ValueError("a record is empty")
    try:
        data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, size)
    except zlib.error as error:
        raise ValueError("a compressed record is damaged") from error
    if len(data) != size:
        raise ValueError("a record ends early")
    return data
