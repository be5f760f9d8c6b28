"""Results of the benchmarks that train: one CSV table a study, and a page that shows them.

A row is one training run with one seed. A column is one value. Nested results are flattened: `errors.mpjpe`
is `result["errors"]["mpjpe"]`. An empty cell means that the row does not have the value.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from videopose.errors import InputError
from videopose.files import replacing


def load(table: Path) -> dict[str, list[dict[str, Any]]]:
    """Read all results of a study.

    Returns:
        By name of the run, one result a seed.

    Raises:
        InputError: The file is not a table of results.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _read(table):
        found.setdefault(row["run"], []).append(row)
    return found


def is_done(table: Path, run: str, seed: int | None, settings: Mapping[str, Any] | None = None) -> bool:
    """Say whether a run has a result.

    Args:
        table: The CSV file; it need not exist.
        run: Name of the run.
        seed: Its seed; None for a run without one.
        settings: What the result depends on; None to accept any.

    Raises:
        InputError: The file is not a table of results, or the result was made with other settings.
    """
    for row in _read(table):
        if _key(row) == (run, seed):
            if settings is not None and row.get("settings") != settings:
                raise InputError(
                    f"{table}: {run}, seed {seed}, was made with other settings; delete the row, "
                    "or give another --results"
                )
            return True
    return False


def save(table: Path, result: Mapping[str, Any]) -> None:
    """Add a result to a table, in place of one of the same run and seed. Several processes may do so at once.

    Raises:
        OutputError: The table cannot be written.
    """
    table.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(table.with_suffix(".lock")):
        rows = [row for row in _read(table) if _key(row) != _key(result)]
        rows = sorted([*rows, dict(result)], key=lambda row: (row["run"], row.get("seed") or 0))
        cells = [_flatten(row) for row in rows]
        names = list(dict.fromkeys(name for row in cells for name in row))
        groups = list(dict.fromkeys(name.partition(".")[0] for name in names))
        columns = sorted(names, key=lambda name: groups.index(name.partition(".")[0]))
        with replacing(table) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(cells)


def insert(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between two marks of a page.

    Raises:
        InputError: The page does not have the marks.
    """
    before, first, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        raise InputError(f"{page} has no lines {begin} and {end}; add them where the tables belong")
    with replacing(page) as part:
        part.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _key(result: Mapping[str, Any]) -> tuple[str, int | None]:
    return result["run"], result.get("seed")


def _read(table: Path) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = [_nest(row) for row in csv.DictReader(file, strict=True)]
        for row in rows:
            _key(row)
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise InputError(
            f"{table} is not a table of results; delete it, or give another --results"
        ) from error
    return rows


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            cells |= _flatten(value, f"{prefix}{name}.")
        else:
            cells[f"{prefix}{name}"] = _write_cell(value)
    return cells


def _nest(cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell:
            *path, last = name.split(".")
            inner = values
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = _read_cell(cell)
    return values


def _write_cell(value: Any) -> str:
    """Write text as it is, unless it would be read back as JSON; write everything else as JSON."""
    if isinstance(value, str) and value and _read_cell(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _read_cell(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell
