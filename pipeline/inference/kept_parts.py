"""Keep what was detected in the finished parts of a video, so that a run that was killed can go on."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from ...errors import NoPeopleError, OutputError
from ...files import replacing
from ..downloads.cache import cache_folder

PART_FRAMES = 120
"""Frames of a part. Detectors that process several frames at once take a number of them that divides this."""

Arrays = dict[str, NDArray[Any]]
"""Plain arrays by name."""

_DAYS = 30  # parts of a run that nobody continues are removed after this time
_MAKER = "maker.json"
_NAME = "{:06d}.part.npz"
_MEMORY = "{:06d}.memory.npz"


class PartStore(Protocol):
    """Keeps the finished parts of the detection of one video, and gives those of an earlier run.

    Attributes:
        parts: The arrays of each finished part, in order; complete after `open`.
        memory: The arrays that the next part needs.
    """

    parts: list[Arrays]
    memory: Arrays

    @property
    def lasts(self) -> bool:
        """Whether another run of the same request would find the parts."""

    def open(self, request: Mapping[str, object], maker: Mapping[str, object]) -> None:
        """Read the parts of this request; see `KeptParts.open`."""

    def add(self, part: Arrays, memory: Arrays) -> None:
        """Keep one more part, and what the next one needs."""


class KeptParts:
    """The finished parts of the detection of one video, in the user's cache.

    It is a context manager. When its block ends without an error, the result is there and the parts are
    removed. They are also removed if no person was found. If the block ends with another error, or the
    process is killed, the parts stay. The next run with the same key goes on from them. Only the memory after
    the last part is kept, so the parts take little space: about 100 kB for a minute of one person.

    Args:
        folder: Folder for the parts of all videos; None for the one in videopose's cache.
        leave: Leave the parts when the result is there, for another command that finds the same people.
        report: Called with a line for the user if the parts cannot be kept.

    Attributes:
        parts: The arrays of each finished part, in order; empty before `open`.
        memory: The arrays that the next part needs.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        leave: bool = False,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.parts: list[Arrays] = []
        self.memory: Arrays = {}
        self._root, self._report = folder or cache_folder() / "parts", report
        self._leave = leave
        self._folder: Path | None = None  # where parts are kept; None if they are not
        self._held: tuple[FileLock, Path] | None = None

    def open(self, request: Mapping[str, object], maker: Mapping[str, object]) -> None:
        """Read the parts that an earlier run has left.

        If another process is working on the same video with the same options, or the folder cannot be
        written, no parts are read or kept.

        Args:
            request: The video and the options, as values that JSON can hold.
            maker: What finds the people. Parts of another are removed.
        """
        self._remove_old()
        folder = self._root / _name(request)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "lock", timeout=0)
            lock.acquire()
        except Timeout:
            return
        except OSError as error:
            self._give_up(error.strerror or str(error))
            return
        self._folder, self._held = folder, (lock, folder)
        try:
            self._read(folder, json.dumps(maker, sort_keys=True, default=str))
        except OutputError as error:
            self._give_up(str(error))

    @property
    def lasts(self) -> bool:
        """Whether the next run finds the parts."""
        return self._folder is not None

    @classmethod
    def remove(cls, request: Mapping[str, object]) -> None:
        """Remove the parts of a video and options whose result is there."""
        with cls() as kept:
            if (kept._root / _name(request)).is_dir():
                kept.open(request, {})

    def add(self, part: Arrays, memory: Arrays) -> None:
        """Keep one more part, and what the next one needs. If the disk is full, keep no more parts."""
        if self._folder is None:
            return
        number = len(self.parts)
        try:
            # The memory comes first: a part without its memory would be useless.
            _save(self._folder / _MEMORY.format(number), memory)
            _save(self._folder / _NAME.format(number), part)
        except OutputError as error:
            self._give_up(str(error))
            return
        self.parts.append({})  # its arrays are not needed again
        (self._folder / _MEMORY.format(number - 1)).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is None:
            return
        lock, folder = self._held
        done = isinstance(error, NoPeopleError) or (error is None and not self._leave)
        done = done or not any(folder.glob("*.part.npz"))  # nothing was kept
        if done:  # before the lock is released, so that no other run takes the parts
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        if done and folder.exists():  # Windows does not remove a file that is open
            shutil.rmtree(folder, ignore_errors=True)
        self._folder = self._held = None

    def _read(self, folder: Path, maker: str) -> None:
        """Read parts and memory. If a file is damaged, or of another maker, all are made again."""
        parts: list[Arrays] = []
        try:
            if (folder / _MAKER).read_text(encoding="utf-8") != maker:
                raise ValueError("made by another")
            while (path := folder / _NAME.format(len(parts))).exists():
                parts.append(_load(path))
            memory = _load(folder / _MEMORY.format(len(parts) - 1)) if parts else {}
        except (OSError, ValueError, zipfile.BadZipFile, KeyError):
            parts, memory = [], {}
        if not parts:
            for path in folder.glob("*.npz"):
                path.unlink(missing_ok=True)
            with replacing(folder / _MAKER) as partial:
                partial.write_text(maker, encoding="utf-8")
        self.parts, self.memory = parts, memory

    def _give_up(self, reason: str) -> None:
        self._folder = None
        self._report(
            f"note: finished parts cannot be kept in {self._root} ({reason}); if this run is interrupted, "
            "the next one begins anew; VIDEOPOSE_CACHE names another folder"
        )

    def _remove_old(self) -> None:
        """Remove the parts of runs that were not continued."""
        limit = time.time() - _DAYS * 86400
        with suppress(OSError):
            for folder in self._root.iterdir():
                if folder.stat().st_mtime < limit:
                    shutil.rmtree(folder, ignore_errors=True)


def _name(request: Mapping[str, object]) -> str:
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _save(path: Path, arrays: Arrays) -> None:
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **cast("dict[str, Any]", arrays))


def _load(path: Path) -> Arrays:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
