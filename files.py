"""Write files atomically, and identify them by their sha256."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError, OutputError

_DISK_FULL = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG")} - {None}

LONGEST_NAME = 255
"""Bytes in the longest name of a file, on every usual file system."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename the file when the block ends without an exception.

    Otherwise the temporary file is removed. Its name keeps the suffix, because encoders choose the format by
    it. Missing parent folders are created.

    Args:
        path: File to write; one that exists is replaced.

    Raises:
        OutputError: The folder cannot be written, the disk is full, or the file is in use and cannot be
            replaced (on Windows).
    """
    target = Path(path)
    check_target(target)
    partial = target.with_name(_partial_name(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        yield partial
        try:
            os.replace(partial, target)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _partial_name(target: Path) -> str:
    """Return the name of a temporary file; the target's stem is cut if the name would be too long."""
    rest = f".{secrets.token_hex(4)}.partial{target.suffix}"
    stem = target.stem
    while len(os.fsencode(f".{stem}{rest}")) > LONGEST_NAME:
        stem = stem[:-1]
    return f".{stem}{rest}"


def check_target(path: Path) -> None:
    """Check that a path can be that of a file to write: its name, and what is there.

    Raises:
        OutputError: The name is longer than file systems allow, or there is something else than a file.
    """
    if os.path.isdir(path):
        raise OutputError(f"cannot write {path}: it is a folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise OutputError(f"cannot write {path}: it is a device or a pipe, not a file")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise OutputError(
            f"cannot write {path}: the name is longer than {LONGEST_NAME} bytes; give the input a shorter one"
        )


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from error
