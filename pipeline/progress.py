"""Progress on the terminal: a bar with the rate and the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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

Advance = Callable[[], None]
"""Call once for each finished item."""

Stage = Callable[[str, int | None], AbstractContextManager[Advance]]
"""`with stage("detecting people", frames) as advance:`; the number is None where nobody knows it."""

console = Console(stderr=True, highlight=False)


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f} {self.unit}" if speed else f"– {self.unit}", style="progress.data.speed")


@contextmanager
def quiet(description: str, total: int | None) -> Iterator[Advance]:
    """A stage that shows nothing, for use from Python."""
    yield lambda: None


@contextmanager
def terminal(description: str, total: int | None, *, unit: str = "fps") -> Iterator[Advance]:
    """A stage with a progress bar on stderr; where that is no terminal, one line when it is done."""
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
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
        yield lambda: progress.advance(task)
        # What the container promised is an estimate; the truth is how many there were.
        progress.update(task, total=progress.tasks[0].completed)
