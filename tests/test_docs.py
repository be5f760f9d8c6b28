"""What pages say of the repository: the files that they name exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("configs/**/*.md")])
FOLDERS = "pipeline|semi|render|detectors|lifting|configs|tests|benchmarks|docs|scripts"
# A file or a folder with its slash at the end; not <a name> to fill in, nor a pattern.
NAMED = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/(?:[\w.-]+/)*(?:[\w-]+(?:\.\w+)+)?)(?![\w<*…])")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    missing = {name for name in named if not (ROOT / name).exists()}
    assert not missing


def test_the_pattern_finds_files() -> None:
    text = "`lifting/network/`, `semi/losses.py`; configs/lifting/default.yaml and tests/x/<name>.py"
    assert NAMED.findall(text) == ["lifting/network/", "semi/losses.py", "configs/lifting/default.yaml"]
