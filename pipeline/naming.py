"""Name the file in what is said while several files are worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import VideoposeError

_ABOUT = ("note: ", "warning: ")
_named: Path | None = None


@contextmanager
def naming(file: Path | None) -> Iterator[None]:
    """Name a file in the notes, warnings and errors of the block that do not name it.

    Args:
        file: The file; None to name none, in a part of the block that is not about the file.
    """
    global _named
    before, _named = _named, file
    try:
        yield
    except VideoposeError as error:
        if file is not None and not _names(str(error), file):
            error.args = (f"{file}: {error}",)
        raise
    finally:
        _named = before


def named(line: str) -> str:
    """Return a line for the user, with the file that it is about if it is a note or a warning."""
    begin = next((each for each in _ABOUT if line.startswith(each)), None)
    if begin is None or _named is None or _names(line, _named):
        return line
    return f"{begin}{_named}: {line.removeprefix(begin)}"


def _names(text: str, file: Path) -> bool:
    return file.name in text
