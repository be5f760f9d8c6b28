import threading
import time
from collections.abc import Iterator

import pytest

from videopose.pipeline.video.read_ahead import read_ahead


def test_the_same_items_in_order_and_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            made.append(number)
            yield number

    found = read_ahead(items(), depth=3)
    assert next(found) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 4 <= len(made) <= 6  # three wait, one was taken, one is held by the thread
    assert [0, *found] == list(range(20))
    assert list(read_ahead(iter(()))) == []


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    found = read_ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(found)


def test_stopping_early_closes_the_iterator_and_ends_the_thread() -> None:
    closed = threading.Event()
    before = threading.active_count()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    found = read_ahead(items(), depth=2)
    assert next(found) == 1
    found.close()
    assert closed.is_set()
    assert threading.active_count() == before
