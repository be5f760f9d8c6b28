"""The exceptions that videopose raises on purpose.

    VideoposeError
    ├── UsageError         2  an option, a name or a configuration value that cannot be used
    ├── InputError         3  a file that cannot be read as what it should be
    │   └── NoPeopleError  4  a video in which nobody was found
    ├── OutputError        5  a result that cannot be written
    └── AssetError         6  a pinned download that is missing, unreachable or damaged

The number is the exit code of the command line. Messages are one sentence that says what is wrong and,
where there is one, the way out; anything that is not a `VideoposeError` is a bug and exits with 1.
"""

from __future__ import annotations


class VideoposeError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command line exits with."""

    exit_code = 1


class UsageError(VideoposeError):
    """An option, a name or a configuration value that cannot be used."""

    exit_code = 2


class InputError(VideoposeError):
    """A file that cannot be read as what it should be."""

    exit_code = 3


class NoPeopleError(InputError):
    """A video in which nobody was found."""

    exit_code = 4


class OutputError(VideoposeError):
    """A result that cannot be written."""

    exit_code = 5


class AssetError(VideoposeError):
    """A pinned download that is missing, unreachable or damaged."""

    exit_code = 6
