"""The corpus of odd videos: each is read, told damaged or refused as it should be."""

from collections import Counter
from pathlib import Path

import pytest
from odd_video_corpus import CASES, Case, outcome

PAGE = Path(__file__).parents[3] / "docs" / "odd-videos.md"


def test_the_corpus_is_large_and_the_table_complete() -> None:
    assert len(CASES) >= 250
    assert max(Counter(case.name for case in CASES).values()) == 1
    _, table = PAGE.read_text(encoding="utf-8").split("| file | outcome |\n|---|---|\n")
    named = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()]
    assert named == [case.name for case in CASES]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outcome(case: Case, tmp_path: Path) -> None:
    kind, told = outcome(case, tmp_path)
    assert kind == case.kind, told
