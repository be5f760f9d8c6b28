import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from videopose.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
study_results = importlib.import_module("study_results")
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
KEPT = [RESULTS / "reproduction.csv", RESULTS / "semi_supervised.csv"]


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    table = tmp_path / "new" / "study.csv"
    results: list[dict[str, Any]] = [
        {
            "run": "a",
            "seed": seed,
            "errors": {"gt, flips": {"mpjpe": 1.0 + seed}, "gt": {"mpjpe": 10.25}},
            "curve": [1.5, 2.0],
            "settings": {
                "flip": False,
                "name": "true",
                "layer": "05",
                "rate": 10.0,
                "steps": 3,
                "none": None,
            },
        }
        for seed in (1, 0)
    ]
    results.append({"run": "speed", "milliseconds": {"chunk-1": 2.5}})
    for result in results:
        study_results.save(table, result)
    assert study_results.load(table) == {"a": [results[1], results[0]], "speed": [results[2]]}


def test_a_result_replaces_the_one_of_its_run_and_seed(tmp_path: Path) -> None:
    table = tmp_path / "study.csv"
    assert not study_results.is_done(table, "a", 0, {})
    for error in (1.0, 2.0):
        study_results.save(table, {"run": "a", "seed": 0, "error": error, "settings": {"steps": 1}})
    assert study_results.load(table)["a"] == [{"run": "a", "seed": 0, "error": 2.0, "settings": {"steps": 1}}]
    assert study_results.is_done(table, "a", 0, {"steps": 1})
    assert not study_results.is_done(table, "a", 1, {"steps": 1})
    with pytest.raises(InputError, match="a, seed 0, was made with other settings"):
        study_results.is_done(table, "a", 0, {"steps": 2})


@pytest.mark.parametrize("text", ["[]\n1\n", "seed\n1\n", "run,seed\nb,0,1\n", "run,run.a\n1,2\n"])
def test_a_file_of_another_kind(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(text)
    with pytest.raises(InputError, match=r"odd\.csv is not a table of results"):
        study_results.load(tmp_path / "odd.csv")


@pytest.mark.parametrize("table", KEPT, ids=lambda path: path.stem)
def test_tables_in_the_repository_are_as_save_writes_them(table: Path, tmp_path: Path) -> None:
    copy = tmp_path / table.name
    for found in study_results.load(table).values():
        for result in found:
            study_results.save(copy, result)
    assert copy.read_text(encoding="utf-8") == table.read_text(encoding="utf-8")
