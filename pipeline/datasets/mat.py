"""Read arrays of numbers, and cells of them, in a MATLAB file of version 5 ("MAT-File Format", MathWorks).

scipy's reader crashes on some damaged files. Here nothing in a file is trusted: every size is compared with
the bytes that are there, and what is compressed is unpacked up to a bound.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bounded import RATIO, SPARE, read_file

_HEADER = 128  # bytes before the first element
_MATRIX, _COMPRESSED = 14, 15  # types of elements
_CELL, _NUMBERS = 1, range(6, 16)  # classes of arrays: cells, and double to uint64
_COMPLEX = 0x0800  # among the flags of an array
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_LARGEST = 1 << 30  # bytes of a file; those of datasets have a few megabytes
_DEEPEST = 4  # cells within cells


def read_mat(path: Path) -> dict[str, NDArray[Any]]:
    """Return the variables of a file by name: arrays of numbers, and cells as arrays of objects.

    Variables of other kinds are left out.

    Raises:
        InputError: The file is missing, or no regular file.
        ValueError: The file is damaged, or unpacks to far more than its size.
    """
    data = read_file(path, limit=_LARGEST)
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None or len(data) < _HEADER:
        raise ValueError("it is no MATLAB file of version 5")
    left = SPARE + RATIO * len(data)
    variables = {}
    for kind, content in _elements(memoryview(data)[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacked = memoryview(_unpacked(content, left))
            left -= len(unpacked)
            found = list(_elements(unpacked, order))
        else:
            found = [(kind, content)]
        for inner, body in found:
            if inner == _MATRIX:
                name, array = _matrix(body, order, 0)
                if array is not None:
                    variables[name] = array
    return variables


def _unpacked(content: memoryview, limit: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(content, limit + 1)
    except zlib.error as error:
        raise ValueError("a compressed variable is damaged") from error
    if len(data) > limit:
        raise ValueError("it unpacks to far more than its size")
    return data


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yield type and content of each element."""
    at = 0
    while at + 8 <= len(data):
        kind, size = np.frombuffer(data, f"{order}u4", 2, at).tolist()
        if kind >> 16:  # a small element: the size is in the upper half, the content in the next four bytes
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise ValueError("a small element is too large")
            begin, following = at + 4, at + 8
        else:
            begin = at + 8
            following = begin + size + (0 if kind == _COMPRESSED else -size % 8)
        if begin + size > len(data):
            raise ValueError("an element ends early")
        yield kind, data[begin : begin + size]
        at = following


def _matrix(body: memoryview, order: str, depth: int) -> tuple[str, NDArray[Any] | None]:
    """Return name and content of an array; None if it is of another kind."""
    parts = _elements(body, order)
    try:
        flags = int(_numbers(*next(parts), order)[0])
        shape = tuple(int(side) for side in _numbers(*next(parts), order))
        name = bytes(next(parts)[1]).decode("latin-1")
    except (StopIteration, IndexError):
        raise ValueError("an array ends early") from None
    if any(side < 0 for side in shape):
        raise ValueError(f"an array of shape {shape}")
    kind, count = flags & 0xFF, math.prod(shape)
    if kind == _CELL:
        return name, _cell(parts, shape, order, depth)
    if kind not in _NUMBERS or flags & _COMPLEX:
        return name, None
    values = _numbers(*next(parts, (9, memoryview(b""))), order)
    if len(values) != count:
        raise ValueError(f"{name[:80]}: expected {count} numbers, found {len(values)}")
    return name, values.reshape(shape, order="F")


def _cell(
    parts: Iterator[tuple[int, memoryview]], shape: tuple[int, ...], order: str, depth: int
) -> NDArray[Any]:
    if depth >= _DEEPEST:
        raise ValueError("cells are nested too deep")
    found = [_matrix(body, order, depth + 1)[1] for kind, body in parts if kind == _MATRIX]
    if len(found) != math.prod(shape):
        raise ValueError(f"a cell of shape {shape} with {len(found)} values")
    cell = np.empty(len(found), object)
    for number, value in enumerate(found):
        cell[number] = value
    return cell.reshape(shape, order="F")


def _numbers(kind: int, content: memoryview, order: str) -> NDArray[Any]:
    if kind not in _TYPES:
        raise ValueError(f"numbers of type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if len(content) % dtype.itemsize:
        raise ValueError("an array ends early")
    return np.frombuffer(content, dtype)
