"""Check the types of options that programs pass, and take those that are meant for another type.

Programs pass numbers of numpy, and texts from configuration files and forms. `as_number` takes both.
"""

from __future__ import annotations

import os
from numbers import Number, Real
from typing import Any

import numpy as np

from ..errors import UsageError, shown

_WORDS: dict[Any, str] = {
    str: "a text",
    bool: "True or False",
    Real: "a number",
    (str, os.PathLike): "a name or path",
}


def is_of(value: object, kind: Any) -> bool:
    """Whether a value is of this kind; True and False are not numbers."""
    is_number = kind is not bool and isinstance(kind, type) and issubclass(kind, Number)
    return isinstance(value, kind) and not (is_number and isinstance(value, bool))


def as_number(name: str, value: object, kind: type[int] | type[float], *, optional: bool = False) -> Any:
    """Return a number as `int` or `float`: numpy's numbers, and texts of numbers, are converted.

    Args:
        name: The option's name.
        value: Its value.
        kind: `int` or `float`.
        optional: Whether None is allowed too.

    Raises:
        UsageError: The value is no number, or no whole one if `kind` is `int`.
    """
    if value is None and optional:
        return None
    plain: Any = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(plain, str) or is_of(plain, Real):
        try:
            number: Any = kind(plain)
            if kind is float or number == float(plain):
                return number
        except (ArithmeticError, ValueError):
            pass
    words = "a whole number" if kind is int else "a number"
    raise UsageError(f"{name}: expected {words}{' or None' if optional else ''}, found {shown(value)}")


def as_flag(name: str, value: object, *, optional: bool = False) -> Any:
    """Return True or False; numpy's truth values are converted.

    Raises:
        UsageError: The value is something else.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    check_type(name, value, bool, optional=optional)
    return None


def as_path(name: str, value: object) -> str:
    """Return the text of a path.

    Raises:
        UsageError: It is no path, or an empty one.
    """
    check_type(name, value, (str, os.PathLike))
    text = os.fspath(value)  # type: ignore[call-overload]
    if not isinstance(text, str):
        text = os.fsdecode(text)
    if not text:
        raise UsageError(f"{name}: expected a name or path, found an empty one")
    if "\0" in text:
        raise UsageError(f"{name}: a path has no null character, found {shown(text)}")
    return text


def check_type(name: str, value: object, kind: Any, *, optional: bool = False) -> None:
    """Check the type of an option.

    Args:
        name: The option's name.
        value: Its value.
        kind: A key of `_WORDS`, the type or types that are expected.
        optional: Whether None is allowed too.

    Raises:
        UsageError: The value is of another type.
    """
    if not (is_of(value, kind) or (optional and value is None)):
        words = f"{_WORDS[kind]} or None" if optional else _WORDS[kind]
        raise UsageError(f"{name}: expected {words}, found {shown(value)}")


TURNS = (0, 90, 180, 270)
"""Degrees clockwise by which a user may turn a video that is not upright."""


def check_turn(clockwise: int) -> None:
    """Check that a rotation is one of `TURNS`.

    Raises:
        UsageError: It is another.
    """
    if clockwise not in TURNS:
        raise UsageError(f"--rotate takes 0, 90, 180 or 270, found {clockwise}")
