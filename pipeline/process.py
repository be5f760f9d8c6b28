"""Prepare the process of a command: signals that end it, and standard streams that may be closed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

from ..errors import OutputError
from ..files import DISK_FULL, readable_name

_SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK")  # the last one on Windows only


class TerminatedError(KeyboardInterrupt):
    """The process was asked to end, as with Ctrl-C. It cleans up first.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that it cleans up.

    A signal that is ignored, as under `nohup`, stays ignored. A second signal ends the process at once.
    """
    before: dict[int, Any] = {}

    def end(number: int, frame: FrameType | None) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        raise TerminatedError(number)

    try:
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    except ValueError:  # not the main thread
        before.clear()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stream:
    """A text stream that is silent, and raises nothing, once it cannot be written.

    Characters that it has no code for are escaped.

    Attributes:
        full: The error, if the file that it writes to had no room.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.full: OSError | None = None

    def write(self, text: str) -> int:
        """Write text, if possible."""
        try:
            self._stream.write(self._encodable(text))
        except (OSError, ValueError) as error:
            self._silence(error)
        return len(text)

    def _encodable(self, text: str) -> str:
        encoding = self._stream.encoding or "utf-8"
        return readable_name(text).encode(encoding, "backslashreplace").decode(encoding)

    def flush(self) -> None:
        """Flush the stream, if possible."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._silence(error)

    def _silence(self, error: Exception) -> None:
        """Let the stream write to nowhere, also what it has buffered."""
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            self.full = error
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def strict(stream: TextIO) -> TextIO:
    """Return the stream below one of `lasting_streams`, which raises `OSError` if it cannot be written."""
    return stream._stream if isinstance(stream, _Stream) else stream


def check_printed() -> None:
    """Raise `OutputError` if what was printed is a file, and the file had no room for it.

    A reader that goes away, such as `head` or a closed terminal, is no error.
    """
    sys.stdout.flush()
    if isinstance(sys.stdout, _Stream) and sys.stdout.full is not None:
        raise OutputError(f"what is printed could not be written whole: {sys.stdout.full.strerror}")


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Let a command go on if its output is closed: a terminal that is gone, a pipe, a full disk.

    Standard streams that were closed when the process began lead to nowhere, so that no other file gets their
    number.
    """
    with suppress(OSError):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(handle)
    before = sys.stdout, sys.stderr
    for name, stream in zip(("stdout", "stderr"), before, strict=True):
        # A stream that was closed at the start is None.
        opened: Any = open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: SIM115
        setattr(sys, name, _Stream(opened))
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
