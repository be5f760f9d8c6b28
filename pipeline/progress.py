"""Progress on the terminal: a bar with the rate and the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Advance(Protocol):
    """Call for every finished item, or once for several."""

    def __call__(self, count: int = 1, /) -> None:
        """`count` more are done."""


Stage = Callable[[str, int | None], AbstractContextManager[Advance]]
"""`with stage("finding people", frames) as advance:`; the number is None where nobody knows it."""

console = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Print a line on stderr as it is: brackets in a file's name are no markup, and long lines stay whole."""
    console.print(line, markup=False, soft_wrap=True)


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        speed = task.speed or task.finished_speed
        return Text(f"{speed:.1f} {self.unit}" if speed else f"– {self.unit}", style="progress.data.speed")


@contextmanager
def quiet(description: str, total: int | None) -> Iterator[Advance]:
    """A stage that shows nothing, for use from Python."""
    yield lambda count=1: None


@contextmanager
def terminal(description: str, total: int | None, *, unit: str = "fps") -> Iterator[Advance]:
    """A stage with a progress bar on stderr; where that is no terminal, one line when it is done."""
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        TextColumn("spent"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(description, total=total)
        yield lambda count=1: progress.advance(task, count)
        # What the container promised is an estimate; the truth is how many there were. A changed total makes
        # rich forget the rate.
        done = progress.tasks[0]
        speed = done.speed or (done.completed / done.elapsed if done.elapsed else None)
        progress.update(task, total=done.completed)
        done.finished_speed = speed
