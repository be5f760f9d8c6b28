"""What the benchmarks that train leave behind: a JSON file for each run and seed, and a table in a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videopose.errors import InputError
from videopose.files import replacing


def load(results: Path) -> dict[str, list[dict[str, Any]]]:
    """All results by run, one a seed. Raises `InputError` for a foreign file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(results.glob("*.json")):
        result = _read(path)
        found.setdefault(result["run"], []).append(result)
    return found


def is_done(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether a run has its result. Raises `InputError` for a foreign file, or a result of other settings."""
    if not path.exists():
        return False
    if _read(path).get("settings") != settings:
        raise InputError(f"{path} was made with other settings; delete it, or give another --results")
    return True


def save(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result. Raises `OutputError`."""
    with replacing(path) as part:
        part.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def insert(page: Path, begin: str, end: str, text: str) -> None:
    """Put text between two marks of a page. Raises `InputError` where it does not have them."""
    before, first, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        raise InputError(f"{page} has no lines {begin} and {end} for its tables to stand between")
    with replacing(page) as part:
        part.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        result["run"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no result of this benchmark; delete it") from error
    return result
