"""Report an error in one line, and choose the exit code (see `errors` for the codes)."""

from __future__ import annotations

import traceback

import click

from ...errors import VideoposeError, is_out_of_memory, one_line
from ..progress import DOING, say

SOME_FAILED = 7
"""The exit code if some of several inputs failed."""

OUT_OF_MEMORY = 8
"""The exit code if memory ran out."""


def report_error(error: Exception, *, debug: bool) -> int:
    """Print one line about an error, after its traceback if `debug`; return its exit code."""
    if debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line)
    if isinstance(error, VideoposeError):
        say(f"error: {error}")
        return error.exit_code
    if is_out_of_memory(error):
        say(f"error: {_memory_ran_out(error)}")
        return OUT_OF_MEMORY
    say(f"bug: {type(error).__name__}: {one_line(str(error))}" + ("" if debug else " (--debug shows where)"))
    return 1


def _memory_ran_out(error: Exception) -> str:
    """Say in one line what was being done when memory ran out, and what needs less."""
    doing = next((note for note in getattr(error, "__notes__", ()) if note.startswith(DOING)), None)
    where = "the GPU's memory" if "CUDA" in str(error) else "memory"
    away = "--device cpu uses the main memory" if "CUDA" in str(error) else "close other programs"
    return (
        f"{where} ran out{f' {doing}' if doing else ''}; {away}, or do less at once: fewer --jobs, a part of "
        "the video (--start, --end), a smaller batch in a training's configuration"
    )


class Failures:
    """Reports and counts the errors of a command that goes on with its next input after one fails."""

    def __init__(self, context: click.Context) -> None:
        self._debug = bool(context.find_root().params.get("debug"))
        self._exit_codes: list[int] = []

    def __call__(self, error: Exception) -> None:
        """Report the error of one input."""
        self._exit_codes.append(report_error(error, debug=self._debug))

    @property
    def count(self) -> int:
        """How many inputs failed so far."""
        return len(self._exit_codes)

    def exit_code(self, inputs: int | None = None) -> int:
        """Return the command's exit code. If some of several inputs failed, say how many are done.

        Args:
            inputs: The number of inputs; None if not known. If all failed, the exit code is that of the
                first error.
        """
        if not self._exit_codes:
            return 0
        if inputs is None:
            say(f"{self.count} of the inputs failed; the others are done")
        elif inputs > 1:
            say(f"{inputs - self.count} of {inputs} done")
        return self._exit_codes[0] if len(self._exit_codes) == inputs else SOME_FAILED
