"""Do work in several processes at once: each loads its networks once, and all show their progress here."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from ...cores import available_cores, limit_cores
from ...errors import VideoposeError
from ..process import ended_by_signals
from ..progress import Advance, ManyBars, ReportError, say, show_elsewhere
from .tasks import Item, Task

_ATTEMPTS = 2  # of an item whose process dies
_PATIENCE = 10.0  # seconds that a process gets to clean up
_UPDATE = 0.2  # seconds between two reports of progress


class WorkerDiedError(VideoposeError):
    """A process ended while it worked on an item."""


def do_in_processes(
    task: Task[Item],
    items: Sequence[Item],
    failed: ReportError,
    finished: Callable[[Item], None],
    *,
    jobs: int,
) -> None:
    """Do the work on all items in several processes.

    The cores that this process may use are shared out evenly. If a process dies, for example because memory
    is short, its item is tried once more by another process. If this process is killed, the others clean up
    and end.

    Args:
        task: The work. Each process gets a copy.
        items: The items.
        failed: Called in this process for each item that failed.
        finished: Called in this process with each item that did not fail.
        jobs: Number of processes; there are never more than items.

    Raises:
        Exception: No item can be done, as `Task.do` says.
    """
    count = min(jobs, len(items))
    cores = max(1, available_cores() // max(1, count))
    waiting = [(item, 1) for item in reversed(items)]
    workers = [_Worker.start(task, cores) for _ in range(count)]
    try:
        with ManyBars() as bars:
            while any(worker.item is not None for worker in workers) or waiting:
                for worker in workers:
                    if worker.item is None and waiting:
                        worker.give(*waiting.pop())
                busy = {w.connection: w for w in workers if w.item is not None}
                for connection in wait(list(busy)):
                    assert isinstance(connection, Connection)
                    worker = busy[connection]
                    try:
                        worker.take(bars, failed, finished)
                    except (EOFError, OSError):
                        item, attempt = worker.item, worker.attempt
                        assert item is not None  # only busy workers are waited for
                        worker.lose(bars)
                        workers[workers.index(worker)] = _Worker.start(task, cores)
                        if attempt < _ATTEMPTS:
                            waiting.append((item, attempt + 1))
                        else:
                            failed(
                                WorkerDiedError(f"{item}: the process that worked on it {worker.ending()}")
                            )
    finally:
        for worker in workers:
            worker.dismiss()
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


@dataclass
class _Worker(Generic[Item]):
    """A process, and what it works on."""

    process: BaseProcess
    connection: Connection
    item: Item | None = None
    attempt: int = 0
    failures: int = 0
    tasks: dict[int, Any] = field(default_factory=dict)  # its numbers of bars → ours

    @classmethod
    def start(cls, task: Task[Item], cores: int) -> _Worker[Item]:
        here, there = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=_work, args=(there, task, cores), name="videopose")
        process.start()
        there.close()
        return cls(process, here)

    def give(self, item: Item, attempt: int) -> None:
        self.item, self.attempt, self.failures = item, attempt, 0
        with suppress(OSError):  # it has died, which the next message shows
            self.connection.send(item)

    def take(self, bars: ManyBars, failed: ReportError, finished: Callable[[Item], None]) -> None:
        """Handle one message."""
        kind, *values = self.connection.recv()
        match kind:
            case "say":
                say(values[0])
            case "begin":
                self.tasks[values[0]] = bars.begin(*values[1:])
            case "advance":
                bars.advance(self.tasks[values[0]], values[1])
            case "end":
                bars.end(self.tasks.pop(values[0]))
            case "failed":
                self.failures += 1
                failed(_restored(values[0]))
            case "done":
                item, self.item = self.item, None
                if not self.failures and item is not None:
                    finished(item)
            case "impossible":
                raise _restored(values[0])

    def lose(self, bars: ManyBars) -> None:
        """Clean up after the process has died."""
        self.process.join(_PATIENCE)
        self.connection.close()
        for number in self.tasks.values():
            bars.end(number)

    def ending(self) -> str:
        code = self.process.exitcode or 0
        if code == -getattr(signal, "SIGKILL", 9):
            return "was killed, perhaps because memory is short; a smaller --jobs needs less"
        return f"ended with code {code}"

    def dismiss(self) -> None:
        """Let the process end, at once if it is busy."""
        with suppress(OSError):
            self.connection.close()
        if self.item is not None:
            self.process.terminate()


class _Reporter:
    """The display of a worker: it sends all to the parent process."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock, self._count = connection, threading.Lock(), 0

    def send(self, *message: object) -> None:
        with self._lock:
            self._connection.send(message)

    def say(self, line: str) -> None:
        self.send("say", line)

    @contextmanager
    def bar(self, description: str, total: int | None, unit: str) -> Iterator[Advance]:
        self._count += 1
        number, done, sent = self._count, 0, time.monotonic()
        self.send("begin", number, description, total)

        def advance(count: int = 1) -> None:
            nonlocal done, sent
            done += count
            if time.monotonic() - sent >= _UPDATE:
                self.send("advance", number, done)
                done, sent = 0, time.monotonic()

        try:
            yield advance
        finally:
            self.send("advance", number, done)
            self.send("end", number)


def _work(connection: Connection, task: Task[Any], cores: int) -> None:
    """Do the work on items until there are no more; the main function of a worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit_cores(cores)
    _limit_opencv(cores)
    reporter = _Reporter(connection)
    show_elsewhere(reporter)
    try:
        with ended_by_signals():
            while True:
                item = connection.recv()
                try:
                    task.do(item, lambda error: reporter.send("failed", _portable(error)))
                except Exception as error:
                    reporter.send("impossible", _portable(error))
                reporter.send("done")
    except (EOFError, OSError, KeyboardInterrupt):  # no more items, no parent, or a signal
        pass
    finally:
        show_elsewhere(None)


def _limit_opencv(cores: int) -> None:
    import cv2

    cv2.setNumThreads(cores)


def _end_with_parent() -> None:
    """Wait for the end of the parent process; then end this one, which cleans up."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _portable(error: Exception) -> bytes:
    """Return an error as bytes; its traceback becomes a note."""
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
    except Exception:
        data = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return data


def _restored(data: bytes) -> Exception:
    error = pickle.loads(data)
    assert isinstance(error, Exception)
    return error
