"""Files: written so that a half-written one is never seen, and known by their sha256."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError, OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, else remove it.

    The temporary name keeps the suffix, because encoders choose the format by it. Missing parent folders
    are made. Raises `OutputError` where the folder cannot be written or the disk is full.
    """
    target = Path(path)
    partial = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial{target.suffix}")
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
        if error.errno not in _FULL:
            raise
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal. Raises `InputError`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from error
