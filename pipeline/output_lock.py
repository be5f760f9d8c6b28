"""Lock results while they are made, so that two runs do not write the same files."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import OutputError
from ..files import LONGEST_NAME, remove_leftovers


@contextmanager
def output_lock(results: Sequence[Path], command: str) -> Iterator[None]:
    """Hold the locks of several results; first remove what runs that were killed have left beside them.

    A lock is the hidden file `.NAME.lock` beside the result. `.NAME.holder` tells who holds it. Both are
    removed when the block ends, and so are folders that were made for them if nothing was written there. If a
    process is killed, the operating system releases its locks, and the next run takes them over.

    Args:
        results: The files that will be written; their folders are created.
        command: The command line of this run, which another run on the same results shows; may be empty.

    Raises:
        OutputError: Another process holds a lock, or a folder cannot be written.
    """
    with ExitStack() as stack:
        for result in dict.fromkeys(results):
            stack.enter_context(_locked(result, command))
        for folder in {result.parent for result in results}:
            remove_leftovers(folder)
            _remove_stale_locks(folder)
        yield


@contextmanager
def _locked(result: Path, command: str) -> Iterator[None]:
    name = result.name
    if len(os.fsencode(name)) > LONGEST_NAME - len("..holder"):
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    path, holder = result.with_name(f".{name}.lock"), result.with_name(f".{name}.holder")
    made: list[Path] = []
    try:
        made = _missing_folders(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{result} is being made by another run{_who(holder)}; wait for it, or write elsewhere with "
            "--output"
        ) from None
    except NotImplementedError:  # the file system has no locks
        yield
        return
    except OSError as error:
        raise OutputError(f"cannot write {result}: {error.strerror or error}") from error
    try:
        about: dict[str, object] = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": time.time(),
        }
        about["command"] = command
        with suppress(OSError):  # a full disk; the lock holds all the same
            holder.write_text(json.dumps(about), encoding="utf-8")
        yield
    finally:
        # Removed before the lock is released: filelock does not lock a file that was removed.
        for file in (holder, path):
            with suppress(OSError):
                file.unlink()
        lock.release()
        if os.name == "nt":  # where an open file cannot be removed
            with suppress(OSError):
                path.unlink()
        for folder in made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _missing_folders(folder: Path) -> list[Path]:
    """Return a folder and those above it that do not exist, the innermost first."""
    missing = []
    while not os.path.exists(folder) and folder != folder.parent:  # a missing drive is its own parent
        missing.append(folder)
        folder = folder.parent
    return missing


def _remove_stale_locks(folder: Path) -> None:
    """Remove the locks of runs that were killed; those of running processes cannot be taken and stay."""
    for holder in folder.glob(".*.holder"):
        with suppress(OSError, Timeout, NotImplementedError):
            lock = FileLock(holder.with_suffix(".lock"), timeout=0)
            with lock:
                holder.unlink(missing_ok=True)
                Path(lock.lock_file).unlink(missing_ok=True)


def _who(holder: Path) -> str:
    """Return who holds a lock, as a clause; nothing if that is not known."""
    try:
        about = json.loads(holder.read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(about["since"])))
        who = f"process {int(about['process'])} on {about['host']} since {since}"
        return f" ({who}: {about['command']})" if about["command"] else f" ({who})"
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return ""
