"""Check what programs pass to the public functions, and take it in its usual forms."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UsageError, shown
from ...lifting.pose_table import PoseTable
from ..inference.selection import Place, parse_ids
from ..option_types import as_number, as_path
from ..table_files import load_table

AnyPath = str | os.PathLike[str]
"""A path as programs pass it."""

Point = tuple[float, float] | tuple[float, float, float]
"""x and y in pixels of the upright frame, and perhaps a time in seconds."""


def as_table(table: PoseTable | AnyPath) -> PoseTable:
    """Return a pose table; it is read if a path is given.

    Raises:
        UsageError: It is neither a table nor a path.
        InputError: The file cannot be read, or is no pose table.
    """
    if isinstance(table, PoseTable):
        return table
    return load_table(as_path("table", table))


def as_places(points: object) -> tuple[Place, ...]:
    """Return points in the picture. Raises `UsageError` unless they are `Point`s."""
    listed: list[Any] = [*points] if isinstance(points, Iterable) and not isinstance(points, str) else [None]
    if not all(isinstance(point, tuple | list | np.ndarray) and len(point) in (2, 3) for point in listed):
        raise UsageError(f"select_at: expected points (x, y) or (x, y, seconds), found {shown(points)}")
    return tuple(Place(*(as_number("select_at", value, float) for value in point)) for point in listed)


def as_texts(name: str, values: Iterable[str], *, example: str | None = None) -> tuple[str, ...]:
    """Return a list of texts, which may be an iterator; one text is none.

    Raises:
        UsageError: The value is something else. The message names the example.
    """
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        values = tuple(values)
        if all(isinstance(value, str) for value in values):
            return values
    such = "" if example is None else f" such as {example!r}"
    raise UsageError(f"{name}: expected a list of texts{such}, found {shown(values)}")


def as_ids(select: object) -> tuple[int, ...]:
    """Return the ids of `select`: numbers, also of numpy, or texts of numbers. Raises `UsageError`."""
    if isinstance(select, str):
        return parse_ids(select)
    listed = [select] if isinstance(select, Integral) else select
    if not isinstance(listed, Iterable):
        raise UsageError(f"select: expected a list of ids, found {shown(select)}")
    return tuple(as_number("select", each, int) for each in listed)


def as_size(size: object) -> tuple[int, int]:
    """Return a width and a height in pixels. Raises `UsageError` unless they are two positive numbers."""
    sides = list(size) if isinstance(size, Iterable) and not isinstance(size, str | bytes) else []
    if len(sides) == 2:
        width, height = (as_number("size", side, int) for side in sides)
        if min(width, height) > 0:
            return width, height
    raise UsageError(f"size: expected width and height in pixels, found {shown(size)}")


def as_text(name: str, value: AnyPath | None) -> str | None:
    """Return the text of a path or name that may be None. Raises `UsageError` if it is neither."""
    return None if value is None else as_path(name, value)


def as_optional_path(name: str, value: AnyPath | None) -> Path | None:
    """Return a path that may be None. Raises `UsageError` as `as_text` does."""
    text = as_text(name, value)
    return None if text is None else Path(text)
