"""Work on many items, and doing it one item after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ..progress import ReportError

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Task(Protocol[Item_contra]):
    """Work on items. It can be pickled before its first use; what it loads is used for all items."""

    def do(self, item: Item_contra, failed: ReportError) -> None:
        """Do the work on one item.

        Args:
            item: The item.
            failed: Called if the item failed; others can still be done.

        Raises:
            Exception: No item can be done.
        """


def do_all(
    task: Task[Item], items: Sequence[Item], failed: ReportError, finished: Callable[[Item], None]
) -> None:
    """Do the work on all items in this process, one after another.

    Args:
        task: The work.
        items: The items.
        failed: Called for each item that failed.
        finished: Called with each item that did not fail.
    """
    for item in items:
        errors: list[Exception] = []
        task.do(item, errors.append)
        for error in errors:
            failed(error)
        if not errors:
            finished(item)
