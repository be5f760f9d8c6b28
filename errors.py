"""The exceptions that videopose raises on purpose.

    VideoposeError
    ├── UsageError         2  an option, a name or a configuration value cannot be used
    ├── InputError         3  a file cannot be read, or is not what it should be
    │   └── NoPeopleError  4  no person was found in a video
    ├── OutputError        5  a result cannot be written
    └── AssetError         6  a file to download is missing, unreachable or damaged

The number is the exit code of the command line. A message is one sentence: what was expected, what was found,
and the way out if there is one. Any other exception is a bug in videopose and ends the command line with 1.
"""

from __future__ import annotations

import re

_NO_MEMORY = re.compile(
    "out of memory|can't allocate memory|cannot allocate|failed to allocate|insufficient memory|bad.?alloc",
    re.IGNORECASE,
)

_SHOWN = 80  # characters of a value that a message quotes


class VideoposeError(Exception):
    """Base class of every exception that is raised on purpose.

    Attributes:
        exit_code: What the command line exits with.
    """

    exit_code = 1


class UsageError(VideoposeError):
    """An option, a name or a configuration value cannot be used."""

    exit_code = 2


class InputError(VideoposeError):
    """A file cannot be read, or is not what it should be."""

    exit_code = 3


class NoPeopleError(InputError):
    """No person was found in a video."""

    exit_code = 4


class OutputError(VideoposeError):
    """A result cannot be written."""

    exit_code = 5


class AssetError(VideoposeError):
    """A file to download is missing, unreachable or damaged."""

    exit_code = 6


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out. Libraries have their own kinds of it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's
        return True
    library = type(error).__module__.partition(".")[0]
    raised_there = isinstance(error, RuntimeError) or library in ("cv2", "onnxruntime")
    return raised_there and bool(_NO_MEMORY.search(str(error)))


def one_line(error: object) -> str:
    """Return an error's text in one line of at most 300 characters, for a message that quotes it.

    Of a `KeyError`, which holds only the key, it says that there is none. Advice of libraries to load a file
    unsafely is not passed on.
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, KeyError) and error.args:
        text = f"it has no {error.args[0]}"
    if "allow_pickle" in text or "weights_only" in text or "Weights only" in text:
        return "it is damaged or holds more than plain data"
    line = (
        " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split()) or type(error).__name__
    )
    return line if len(line) <= 300 else line[:299] + "…"


def shown(value: object) -> str:
    """Return a value as a message quotes it: in one line, and cut off if it is long, as an array is."""
    text = one_line(repr(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
