"""Files on this machine or in a store such as s3://, read and written through fsspec."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from ..errors import InputError, OutputError, UsageError
from ..files import replacing
from .downloads.cache import cache_folder


def is_remote(path: str) -> bool:
    """Return whether a path is that of a store, such as s3://bucket/video.mp4."""
    return "://" in path


def file_system(path: str) -> tuple[Any, str]:
    """Return fsspec's file system of a path, and the path within it.

    Raises:
        UsageError: fsspec, or the package for this kind of store, is not installed.
    """
    try:
        import fsspec

        system, inside = fsspec.url_to_fs(path if is_remote(path) else os.path.abspath(path))
    except (ImportError, ValueError) as error:
        raise UsageError(f"{path} cannot be reached: {error}") from error
    return system, inside


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return PurePosixPath(urlsplit(path).path).name if is_remote(path) else Path(path).name


def folder_of(path: str) -> str:
    """Return the folder of a file."""
    return path.rpartition("/")[0] if is_remote(path) else str(Path(path).parent)


def joined(folder: str, name: str) -> str:
    """Return the path of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else str(Path(folder) / name)


def text_of(path: Path | None) -> str | None:
    """Return a path as the user gave it: `Path` makes one slash of the two in s3://."""
    if path is None:
        return None
    scheme, colon, rest = path.as_posix().partition(":/")
    return f"{scheme}://{rest}" if colon and len(scheme) > 1 and not is_remote(str(path)) else str(path)


@contextmanager
def local_copy(path: str, *, beside: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a file of this machine with the content of `path`: the file itself, or a copy in the cache.

    The copy is made once for all processes of this machine, and again if the file has changed.

    Args:
        path: The file.
        beside: Names of files that are copied, too, if they lie beside it.

    Raises:
        InputError: The file cannot be read.
    """
    if not is_remote(path):
        yield Path(path)
        return
    system, inside = file_system(path)
    try:
        files = _with_beside(system, inside, beside)
        folder = _copies(path, system, files)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            for file in reversed(files):
                copy = folder / (name_of(path) if file == inside else PurePosixPath(file).name)
                if not copy.exists():
                    with replacing(copy) as partial:
                        system.get_file(file, str(partial))
    except (OSError, ImportError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    yield folder / name_of(path)


def forget_copy(path: str, *, beside: Sequence[str] = ()) -> None:
    """Remove this machine's copy of a file, and of those beside it. See `local_copy`."""
    if is_remote(path):
        system, inside = file_system(path)
        folder = _copies(path, system, _with_beside(system, inside, beside))
        shutil.rmtree(folder, ignore_errors=True)


def _with_beside(system: Any, inside: str, beside: Sequence[str]) -> list[str]:
    """Return the paths in a store of a file and of those beside it that are there."""
    others = (f"{inside.rpartition('/')[0]}/{name}" for name in beside)
    return [inside, *(other for other in others if system.exists(other))]


def _copies(path: str, system: Any, files: Sequence[str]) -> Path:
    """Return the folder for the copies of files; another one if any of them has changed."""
    seen = " ".join(str(system.ukey(file)) for file in files)
    return cache_folder() / "inputs" / hashlib.sha256(f"{path} {seen}".encode()).hexdigest()[:32]


def put(local: Path, path: str) -> None:
    """Write a local file's content to `path`.

    Raises:
        OutputError: It cannot be written.
    """
    if not is_remote(path):
        with replacing(path) as partial:
            shutil.copyfile(local, partial)
        return
    system, inside = file_system(path)
    try:
        system.makedirs(inside.rpartition("/")[0], exist_ok=True)
        system.put_file(str(local), inside)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error}") from error
