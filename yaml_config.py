"""Configurations in YAML: reading, layering one over another, replacing values by name, and checking."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from .bounded import read_file
from .errors import InputError, UsageError, one_line

Config = TypeVar("Config")
_MOST_BYTES = 1 << 20
_MOST_DEPTH = 20  # the deepest of configs/ has 3


Seed = Annotated[int, Field(ge=0, lt=2**63)]
"""What decides all random numbers; torch and numpy take this range."""


class StrictConfig(BaseModel):
    """The base of every configuration: unknown keys are errors, and values cannot be changed.

    A subclass that also refuses values of another type (such as "1" for a number) is declared with
    `class Name(StrictConfig, strict=True)`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of names and values.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    try:
        values = _parse(read_file(path, limit=_MOST_BYTES).decode("utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not a YAML file ({one_line(error)})") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected names and values")
    return values


def _parse(text: str) -> Any:
    """Return the value of a YAML text; without repeated parts, nested at most `_MOST_DEPTH` deep.

    PyYAML calls itself for every level, and a value that is repeated by name can multiply itself.

    Raises:
        ValueError: It is nested deeper, or has repeated parts.
        yaml.YAMLError: It is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it repeats the part *{event.anchor}; write the values themselves")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise ValueError(f"it is nested more than {_MOST_DEPTH} levels deep")
    return yaml.safe_load(text)


def read_with_base(path: Path) -> dict[str, Any]:
    """Read a file over its `base`, which is the name of a file beside it and may have a base itself.

    The `name` of a base is not taken over.

    Raises:
        InputError: A file cannot be read.
        UsageError: A base is not the name of another file beside it.
    """
    return _read_with_base(path, ())


def _read_with_base(path: Path, above: tuple[str, ...]) -> dict[str, Any]:
    values = read_yaml(path)
    base, above = values.pop("base", None), (*above, path.name)
    if base is None:
        return values
    if not isinstance(base, str) or Path(base).name != base or base in above:
        raise UsageError(f"{path}: base: give the name of another file beside it")
    below = _read_with_base(path.with_name(base), above)
    below.pop("name", None)
    return merged(below, values)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `above` over `below`: groups of values are merged, all other values are replaced."""
    values = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(values.get(name), dict)
        values[name] = merged(values[name], value) if both else value
    return values


def overridden(values: Mapping[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    """Return the values with some of them replaced, by dotted name such as `schedule.steps`.

    Raises:
        UsageError: A name lies below one that is not a group of values.
    """
    changed = copy.deepcopy(dict(values))
    for dotted, value in overrides.items():
        *parents, last = dotted.split(".")
        group = changed
        for parent in parents:
            group = group.setdefault(parent, {})
            if not isinstance(group, dict):
                raise UsageError(f"{dotted}: {parent} is not a group of values")
        group[last] = value
    return changed


def parse_overrides(texts: Sequence[str]) -> dict[str, object]:
    """Read the `NAME=VALUE` of --set options: values by dotted name.

    Raises:
        UsageError: A text is no such assignment.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}")
        try:
            values[name] = _parse(value)
        except (ValueError, yaml.YAMLError) as error:
            raise UsageError(f"--set {text}: not a value") from error
    return values


def checked(path: Path, validate: Callable[[Any], Config], values: Mapping[str, Any]) -> Config:
    """Return the configuration that pydantic's `validate` makes of the values of a file.

    Raises:
        UsageError: A value is wrong; the message names its key.
    """
    try:
        return validate(values)
    except ValidationError as error:
        raise UsageError(f"{path}: {validation_message(error)}") from error


def validation_message(error: ValidationError) -> str:
    """Return pydantic's first complaint in one line: the key, by dotted name, and what is wrong with it."""
    first = error.errors()[0]
    key = one_line(".".join(str(part) for part in first["loc"])) if first["loc"] else ""
    reason = one_line(first["msg"].removeprefix("Value error, "))
    reason = "there is no such key" if first["type"] == "extra_forbidden" else reason[0].lower() + reason[1:]
    return f"{key}: {reason}" if key else reason


Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""

Metres = Annotated[float, Field(ge=0)]
"""A length of 0 or more."""


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] <= ends[1]:
        raise ValueError("a range runs from its lower to its higher end")
    return ends


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_rising)]
"""Lower and higher end."""

PositiveRange = Annotated[
    tuple[Annotated[FiniteFloat, Field(gt=0)], Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(_rising)
]
"""Lower and higher end, both above 0."""
