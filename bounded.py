"""Read files in bounded memory: no small file may unpack to much more than a sound file of its kind.

What a file declares (sizes, shapes, counts) is compared with what it holds before memory is allocated for it.
"""

from __future__ import annotations

import codecs
import io
import math
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import InputError, one_line

SPARE = 64 << 20
"""Bytes that any file may unpack to."""

RATIO = 20
"""How many times its own size a file may unpack to, beyond `SPARE`. Usual files have ratios of 1 to 5."""

_NO_LIMIT = 1 << 62
_PART = 1 << 20  # bytes that are read at once

LARGEST_TEXT = 1 << 30
"""Bytes of the largest text file that is read."""


def check_regular(path: str | os.PathLike[str], kind: str = "a readable file") -> int:
    """Check that a path names a regular file; return its size in bytes.

    Args:
        path: The path.
        kind: What the file should be, for the message: "a pose table".

    Raises:
        InputError: It is missing, or a folder, a pipe or a device.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise InputError(f"{os.fspath(path) or 'a file without a name'}: no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({one_line(error)})") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path} is not {kind} and cannot be read: it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not {kind} and cannot be read: it is a pipe or a device")
    return status.st_size


def read_file(path: str | os.PathLike[str], *, limit: int = LARGEST_TEXT) -> bytes:
    """Read a regular file.

    Args:
        path: The file.
        limit: Bytes that it may have.

    Raises:
        InputError: It is missing, no regular file, cannot be read, or is larger.
    """
    size = check_regular(path)
    if size > limit:
        raise InputError(f"{path} has {size:,} bytes, more than the {limit:,} that are allowed")
    try:
        with open(path, "rb") as file:
            return file.read(size)  # (to read up to the limit would reserve as much memory)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({one_line(error)})") from error


def read_text(path: str | os.PathLike[str], *, limit: int = LARGEST_TEXT) -> str:
    """Read a text file in UTF-8, or in UTF-16 if it begins with its mark, as Windows's programs write it.

    Bytes that are no text are replaced.

    Raises:
        InputError: As `read_file`.
    """
    data = read_file(Path(path), limit=limit)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")


class Members:
    """The members of an open ZIP archive, which together unpack to a bounded size.

    Args:
        path: The archive.
        archive: The same, open.
        limit: Bytes that it may unpack to; None for `SPARE`, and `RATIO` times the size of the file.

    Raises:
        ValueError: It would unpack to more, or is compressed in an unusual way.
    """

    def __init__(
        self, path: str | os.PathLike[str], archive: zipfile.ZipFile, limit: int | None = None
    ) -> None:
        self._archive = archive
        self.files = {member.filename: member for member in archive.infolist()}
        self.size = sum(member.file_size for member in archive.infolist())
        allowed = SPARE + RATIO * os.path.getsize(path) if limit is None else limit
        if self.size > allowed:
            raise ValueError(f"it unpacks to {self.size:,} bytes, more than the {allowed:,} that are allowed")
        for member in archive.infolist():
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{member.filename[:80]} is compressed in an unusual way")

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, at most as many as it declares."""
        with self.open(name) as file:  # (`archive.read` may unpack more than is declared)
            return _exactly(file, self.files[name].file_size, name)

    def open(self, name: str) -> IO[bytes]:
        """Open a member."""
        return self._archive.open(self.files[name])


@contextmanager
def open_archive(
    path: str | os.PathLike[str], limit: int | None = None, kind: str = "a readable file"
) -> Iterator[Members]:
    """Open a ZIP archive.

    Raises:
        InputError: It is missing, or no regular file.
        ValueError, zipfile.BadZipFile: It is no archive, or would unpack to too much.
    """
    check_regular(path, kind)
    with zipfile.ZipFile(path) as archive:
        yield Members(path, archive, limit)


def _exactly(file: IO[bytes], count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError(f"{name[:80]} is cut off")
    return data


class Arrays:
    """The arrays of an open `.npz` file, which are numbers, truth values or text, never objects."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self.names = frozenset(name.removesuffix(".npy") for name in members.files if name.endswith(".npy"))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Read an array. Raises `KeyError` or `ValueError`."""
        with self._open(name) as file:
            shape, fortran, dtype = self._read_header(name, file)
            array = np.empty(shape, dtype, order="F" if fortran else "C")
            if not array.nbytes:
                return array
            # Filled in parts, so that the bytes are not there twice.
            target, at = array.reshape(-1, order="A").view(np.uint8), 0
            while at < array.nbytes:
                part = _exactly(file, min(_PART, array.nbytes - at), name)
                target[at : at + len(part)] = np.frombuffer(part, np.uint8)
                at += len(part)
            return array

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and type of an array, without reading it. Raises `KeyError` or `ValueError`."""
        with self._open(name) as file:
            shape, _, dtype = self._read_header(name, file)
            return shape, dtype

    def bytes_of(self, name: str) -> int:
        """Return how many bytes an array unpacks to."""
        return self._members.files[f"{name}.npy"].file_size

    def _open(self, name: str) -> IO[bytes]:
        if name not in self.names:
            raise KeyError(name)
        return self._members.open(f"{name}.npy")

    def _read_header(self, name: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        """Read the header of an array, and check that its size is that of its shape."""
        shape, fortran, dtype, start = _npy_header(file)
        _check_plain(dtype)
        _check_shape(shape, dtype, self.bytes_of(name) - start)
        return shape, fortran, dtype


@contextmanager
def open_npz(path: str | os.PathLike[str], kind: str, *, by_rows: bool = False) -> Iterator[Arrays]:
    """Open an `.npz` file of plain arrays. No code from the file runs.

    Args:
        path: The file.
        kind: What the file should be, for the message: "a pose table".
        by_rows: Whether the block itself compares the size of each array with the file's rows. Otherwise the
            file may unpack to as much as its size allows.

    Raises:
        InputError: It is missing or damaged, or the block raises another error than `InputError`.
    """
    try:
        with open_archive(path, _NO_LIMIT if by_rows else None, kind) as members:
            yield Arrays(members)
    except InputError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for damaged files
        raise InputError(f"{path} is not {kind} ({one_line(error)})") from error


def read_npy(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an `.npy` file of numbers, truth values or text.

    Raises:
        InputError: It is missing or damaged, or holds objects.
    """
    data = read_file(path, limit=4 << 30)
    try:
        return parse_npy(data)
    except Exception as error:  # numpy raises many kinds for damaged files
        raise InputError(f"{path} is not an .npy file of numbers ({one_line(error)})") from error


def as_float32(values: Any) -> NDArray[np.float32]:
    """Return numbers of a file as an array. Those that are too large for it become infinite, silently."""
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


def parse_npy(data: bytes) -> NDArray[Any]:
    """Return the array of the content of an `.npy` file.

    Raises:
        ValueError: It holds objects, or its size is not that of its shape.
    """
    shape, fortran, dtype, start = npy_header(data)
    _check_plain(dtype)
    return array_of_bytes(memoryview(data)[start:], dtype, shape, fortran)


def npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, type and the start of the data in the content of an `.npy` file."""
    return _npy_header(io.BytesIO(data))


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(file)
    else:
        raise ValueError(f"an array in format version {version}")
    return shape, fortran, dtype, file.tell()


def _check_plain(dtype: np.dtype[Any]) -> None:
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise ValueError("an array holds objects or records; expected numbers or text")


def array_of_bytes(
    data: bytes | bytearray | memoryview, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool
) -> NDArray[Any]:
    """Make an array of bytes.

    Raises:
        ValueError: Their number does not fit the shape.
    """
    _check_shape(shape, dtype, len(data))
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy(order="K")


def _check_shape(shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> None:
    """Check that an array of this shape has `size` bytes; an empty one may have more. Raises `ValueError`."""
    if any(side < 0 for side in shape):
        raise ValueError(f"an array of shape {shape}")
    if 0 in shape:
        if dtype.itemsize > 1 << 16 or max(shape) > 1 << 31:
            raise ValueError("an empty array of huge parts")
        return
    needed = math.prod(shape) * dtype.itemsize
    if not needed or needed != size:
        raise ValueError(f"an array of shape {shape} should have {needed} bytes, not {size}")
