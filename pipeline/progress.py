"""Show progress on the terminal: a bar with the rate and the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import rich.progress
from rich.console import Console
from rich.text import Text


class Advance(Protocol):
    """What is called for every finished item, or once for several."""

    def __call__(self, count: int = 1, /) -> None:
        """Report that `count` more items are done."""


class Progress(Protocol):
    """How a function shows its progress: `with progress("finding people", frames) as advance:`."""

    def __call__(self, description: str, total: int | None, /) -> AbstractContextManager[Advance]:
        """Begin a task of `total` items; None if their number is unknown."""


console = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Print a line on stderr as it is, without markup and line breaks."""
    console.print(line, markup=False, soft_wrap=True)


class _Rate(rich.progress.ProgressColumn):
    """Items per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: rich.progress.Task) -> Text:
        speed = task.speed or task.finished_speed
        return Text(f"{speed:.1f} {self.unit}" if speed else f"– {self.unit}", style="progress.data.speed")


@contextmanager
def no_progress(description: str, total: int | None) -> Iterator[Advance]:
    """Show nothing; a `Progress` for use from Python."""
    yield lambda count=1: None


@contextmanager
def progress_bar(description: str, total: int | None, *, unit: str = "fps") -> Iterator[Advance]:
    """Show a bar on stderr; a `Progress`. If stderr is not a terminal, print one line at the end.

    Args:
        description: What is done.
        total: Number of items; None if unknown.
        unit: Unit of the rate.
    """
    columns = [
        rich.progress.SpinnerColumn(),
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        _Rate(unit),
        rich.progress.TextColumn("left"),
        rich.progress.TimeRemainingColumn(compact=True),
        rich.progress.TextColumn("spent"),
        rich.progress.TimeElapsedColumn(),
    ]
    with rich.progress.Progress(*columns, console=console) as bars:
        task = bars.add_task(description, total=total)
        yield lambda count=1: bars.advance(task, count)
        # The total was an estimate; show the true number at the end. A changed total makes rich forget the
        # rate, so it is set again.
        done = bars.tasks[0]
        speed = done.speed or (done.completed / done.elapsed if done.elapsed else None)
        bars.update(task, total=done.completed)
        done.finished_speed = speed
