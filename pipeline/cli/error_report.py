"""One line about an error, and the exit code it ends in (see `errors` for the codes)."""

from __future__ import annotations

import traceback

from ...errors import VideoposeError
from ..progress import say

SOME_FAILED = 7  # of several inputs, while others were done


def complain(error: Exception, *, debug: bool) -> int:
    """Print one line about the error, after its traceback for `debug`, and return its exit code."""
    if debug:
        say("".join(traceback.format_exception(error)))
    if isinstance(error, VideoposeError):
        say(f"error: {error}")
        return error.exit_code
    say(f"bug: {type(error).__name__}: {error}" + ("" if debug else " (--debug shows where)"))
    return 1
