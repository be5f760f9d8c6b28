"""Show progress on the terminal: a bar with the rate and the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self

import rich.progress
from rich.console import Console
from rich.table import Column
from rich.text import Text

from ..files import escaped_controls
from .naming import named


class Advance(Protocol):
    """What is called for every finished item, or once for several."""

    def __call__(self, count: int = 1, /) -> None:
        """Report that `count` more items are done."""


class Progress(Protocol):
    """How a function shows its progress: `with progress("finding people", frames) as advance:`."""

    def __call__(self, description: str, total: int | None, /) -> AbstractContextManager[Advance]:
        """Begin a task of `total` items; None if their number is unknown."""


Report = Callable[[str], None]
"""What is called with each line that the user should know, such as `say`."""


ReportError = Callable[[Exception], None]
"""What is called with the error of each item that fails, while the work goes on with the next one."""


def no_report(line: str) -> None:
    """Show nothing, where the caller wants no lines."""


console = Console(stderr=True, highlight=False)


class Display(Protocol):
    """Where lines and progress are shown: a terminal, or the process that has one."""

    def say(self, line: str) -> None:
        """Show a line as it is."""

    def bar(self, description: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """Show the progress of a task; see `progress_bar`."""


DOING = "while "
"""With what the note begins that tells, of an error, what was done when it was raised."""

_elsewhere: Display | None = None


def show_elsewhere(display: Display | None) -> None:
    """Let `say` and `progress_bar` of this process show their lines on another display; None ends that."""
    global _elsewhere
    _elsewhere = display


def say(line: str) -> None:
    """Print a line on stderr, without markup and added line breaks.

    What could steer a terminal is escaped, and so are line breaks, which names of files can have.

    A note or warning names the file that is worked on if there are several; see `naming`.
    """
    line = escaped_controls(named(line))
    if _elsewhere is not None:
        _elsewhere.say(line)
        return
    console.print(line, markup=False, soft_wrap=True)


class _Rate(rich.progress.ProgressColumn):
    """Items per second."""

    def __init__(self, unit: str, table_column: Column) -> None:
        super().__init__(table_column)
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
    description = escaped_controls(description)
    with _noting(description):
        if _elsewhere is not None:
            with _elsewhere.bar(description, total, unit) as advance:
                yield advance
            return
        with rich.progress.Progress(*_columns(unit), console=console) as bars:
            task = bars.add_task(description, total=total)
            yield lambda count=1: bars.advance(task, count)
            _finish(bars, task)


@contextmanager
def _noting(description: str) -> Iterator[None]:
    """Note on an error what was being done."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{DOING}{description}")
        raise


class ManyBars:
    """Bars of several tasks that run at once, as a context manager. A finished bar becomes a line.

    In its block, it is also the display of this process.

    Args:
        unit: Unit of the rates.
    """

    def __init__(self, unit: str = "fps") -> None:
        self._bars = rich.progress.Progress(*_columns(unit), console=console, transient=True)
        self._unit = unit

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._bars.start()
        show_elsewhere(self)
        return self

    def __exit__(self, *_: object) -> None:
        show_elsewhere(None)
        if console.is_terminal:
            self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, description: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Show one more bar while the block runs."""
        task = self.begin(description, total)
        yield lambda count=1: self.advance(task, count)
        self.end(task)

    def begin(self, description: str, total: int | None) -> rich.progress.TaskID:
        """Add a bar and return its number."""
        return self._bars.add_task(description, total=total)

    def advance(self, task: rich.progress.TaskID, count: int) -> None:
        """Report that `count` more items of a bar are done."""
        self._bars.advance(task, count)

    def end(self, task: rich.progress.TaskID) -> None:
        """Replace a bar by a line that says how many items were done, and how fast."""
        done = next(each for each in self._bars.tasks if each.id == task)
        seconds = done.elapsed or 0.0
        rate = f", {done.completed / seconds:.1f} {self._unit}" if seconds else ""
        self.say(f"{done.description}: {done.completed:g} in {seconds:.1f} s{rate}")
        self._bars.remove_task(task)


def _columns(unit: str) -> list[rich.progress.ProgressColumn]:
    whole = Column(no_wrap=True)  # in a narrow terminal, only the bar becomes shorter
    return [
        rich.progress.SpinnerColumn(),
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(table_column=whole.copy()),
        _Rate(unit, whole.copy()),
        rich.progress.TextColumn("left"),
        rich.progress.TimeRemainingColumn(compact=True, table_column=whole.copy()),
        rich.progress.TextColumn("spent"),
        rich.progress.TimeElapsedColumn(table_column=whole.copy()),
    ]


def _finish(bars: rich.progress.Progress, task: rich.progress.TaskID) -> None:
    """Show the true number at the end, because the total was an estimate."""
    # A changed total makes rich forget the rate, so it is set again.
    done = bars.tasks[0]
    speed = done.speed or (done.completed / done.elapsed if done.elapsed else None)
    bars.update(task, total=done.completed)
    done.finished_speed = speed
