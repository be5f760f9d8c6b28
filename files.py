"""Write files atomically, and identify them by their sha256."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError, OutputError

_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.partial(\.\w+)?", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
DISK_FULL = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG")} - {None}
"""Numbers of the errors of a file that has no room."""

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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        with partial_file(target) as partial:
            yield partial
            try:
                os.replace(partial, target)
            except OSError as error:
                raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise OutputError(f"cannot write {target}: {error.strerror}") from error


@contextmanager
def partial_file(path: str | os.PathLike[str], suffix: str | None = None) -> Iterator[Path]:
    """Yield a temporary file beside `path`; it is removed when the block ends, if it is still there.

    The file is locked while the block runs, so that `remove_leftovers` can tell it from the file of a process
    that was killed. The writer has to write into the file, not replace it.

    Args:
        path: The file for which the temporary file is used; its folder exists.
        suffix: Suffix of the temporary file; None for that of `path`.

    Raises:
        OutputError: The folder cannot be written.
    """
    target = Path(path)
    suffix = target.suffix if suffix is None else suffix
    linked = False
    while not linked:  # another process may remove the file before it is locked
        partial = target.with_name(_partial_name(target.with_suffix(suffix)))
        try:
            handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
        _try_lock(handle)
        linked = os.fstat(handle).st_nlink > 0
        if not linked:
            os.close(handle)
    if os.name == "nt":  # an open file can be neither renamed nor removed
        os.close(handle)
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        if os.name != "nt":
            os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in a folder that were left by processes that were killed.

    Temporary files of running processes are locked and stay. On Windows, files of the last day stay.
    """
    try:
        found = [path for path in folder.iterdir() if _PARTIAL.fullmatch(path.name)]
    except OSError:
        return
    for path in found:
        with suppress(OSError):
            if not _is_in_use(path):
                path.unlink()


def _is_in_use(path: Path) -> bool:
    if os.name == "nt":
        return time.time() - path.stat().st_mtime < 86400
    with path.open("rb") as file:
        return not _try_lock(file.fileno())


def _try_lock(handle: int) -> bool:
    """Lock an open file until it is closed; return whether that succeeded."""
    try:
        import fcntl  # not on Windows

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # some network file systems have no locks
        return False
    return True


def _partial_name(target: Path) -> str:
    """Return the name of a temporary file; the target's stem is cut if the name would be too long."""
    rest = f".{secrets.token_hex(4)}.partial{target.suffix}"
    stem = target.stem
    while len(os.fsencode(f".{stem}{rest}")) > LONGEST_NAME:
        stem = stem[:-1]
    return f".{stem}{rest}"


def readable_name(text: str) -> str:
    """Return a text with names of files in which every byte that is not UTF-8 is written as \\xe9.

    Python reads such bytes as surrogates, which no text file, terminal or font takes.
    """
    return _escaped(_SURROGATE, text)


def escaped_controls(text: str) -> str:
    """Return a text with escapes in place of control characters, such as those that steer a terminal."""
    return _escaped(_CONTROL, text)


def _escaped(what: re.Pattern[str], text: str) -> str:
    return what.sub(lambda found: _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code < 0xDD00 else f"\\u{code:04x}"


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
