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
