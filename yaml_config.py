"""Configurations in YAML: read, laid over one another, overridden by name, and checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from .errors import InputError, UsageError

Config = TypeVar("Config")


def read_yaml(path: Path) -> dict[str, Any]:
    """A file's values by name. Raises `InputError` where it cannot be read or holds something else."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not a YAML file ({' '.join(str(error).split())})") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected names and values")
    return values


def read_with_base(path: Path) -> dict[str, Any]:
    """A file's values over those of its `base`, a file beside it, which may have a base itself. The base's
    `name` is not taken over. Raises `InputError` as `read_yaml` does, and `UsageError` for a wrong base."""
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
    """`above` laid over `below`: groups are merged, everything else is replaced."""
    values = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(values.get(name), dict)
        values[name] = merged(values[name], value) if both else value
    return values


def overridden(values: Mapping[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    """The values with some replaced, by dotted name (`schedule.steps`). Raises `UsageError` for a name below
    one that is no group."""
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
    """`NAME=VALUE` of --set → values by dotted name. Raises `UsageError`."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}")
        try:
            values[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text}: not a value") from error
    return values


def checked(path: Path, validate: Callable[[Any], Config], values: Mapping[str, Any]) -> Config:
    """What pydantic makes of the values of a file. Raises `UsageError`, which names the wrong value's key."""
    try:
        return validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {where}: {reason[0].lower()}{reason[1:]}") from error


Fraction = Annotated[float, Field(ge=0, le=1)]


Metres = Annotated[float, Field(ge=0)]


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] <= ends[1]:
        raise ValueError("a range runs from its lower to its higher end")
    return ends


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_rising)]


PositiveRange = Annotated[
    tuple[Annotated[FiniteFloat, Field(gt=0)], Annotated[FiniteFloat, Field(gt=0)]], AfterValidator(_rising)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
