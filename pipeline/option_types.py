"""Check the types of options that programs pass."""

from __future__ import annotations

import os
from numbers import Number, Real
from typing import Any

from ..errors import UsageError

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
        raise UsageError(f"{name}: expected {words}, found {value!r}")
