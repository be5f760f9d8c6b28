"""Make the next items in a thread while the current ones are used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterator[Item], depth: int = 4) -> Generator[Item, None, None]:
    """Yield the items of an iterator, which runs in a thread of its own, up to `depth` items ahead.

    Decoding and encoding run outside of Python's lock, so they overlap with other work. An exception of the
    iterator is raised here, in its place. If the caller stops early, the iterator is closed.

    Args:
        items: A generator or another iterator. It is only used by the thread from here on.
        depth: Most items that wait.
    """
    waiting: Queue[tuple[Item | None, BaseException | None]] = Queue(depth)
    stopped = Event()

    def read() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                waiting.put((item, None))
                if stopped.is_set():
                    break
        except BaseException as raised:
            error = raised
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            waiting.put((None, error or StopIteration()))

    thread = Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for a place in the queue
            with suppress(Empty):
                waiting.get(timeout=0.1)
        thread.join()
