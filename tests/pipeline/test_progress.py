import re
from io import StringIO
from time import monotonic, sleep

import pytest
from rich.console import Console

from videopose.pipeline import progress
from videopose.pipeline.progress import no_progress, progress_bar, say

RATE = r"(\d+\.\d) fps left 00:00 spent 0:00:00"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(progress, "console", Console(stderr=True, highlight=False))


@pytest.mark.parametrize("total", [7, 100, 3, None], ids=["true", "too many", "too few", "unknown"])
def test_the_end_says_how_many_there_were_and_how_fast(
    total: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("finding people", total) as advance:
        for _ in range(7):
            advance()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1  # a log gets one line, not one for each redrawing
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", said.err)
    assert "finding people" in said.err
    assert " 7/7 " in said.err
    found = re.search(RATE, said.err)
    assert found, said.err
    assert float(found[1]) > 7  # all of it took less than a second


def test_many_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("lifting", 46) as advance:
        advance(46)
    said = capsys.readouterr().err
    assert " 46/46 " in said
    assert re.search(RATE, said), said


def test_another_unit(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("training", 2, unit="steps/s") as advance:
        advance()
        advance()
    assert re.search(r"2/2 \d+\.\d steps/s", capsys.readouterr().err)


def test_a_bar_that_moves_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    monkeypatch.setattr(progress, "console", Console(file=file, force_terminal=True, width=120))
    with progress_bar("finding people", 1000) as advance:
        for _ in range(30):
            advance()
        patience = monotonic() + 10
        while "30/1000" not in file.getvalue() and monotonic() < patience:
            sleep(0.02)
        progress.console.print("in between")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert "\x1b[" in file.getvalue()
    assert re.search(r"30/1000 \d+\.\d fps left 00:\d\d", text)  # drawn while it ran
    assert "in between\n" in text
    assert "30/30" in text


@pytest.mark.parametrize("columns", [80, 77])
def test_a_narrow_terminal_shortens_the_bar_only(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(progress, "console", Console(stderr=True, highlight=False))
    with progress_bar("reading pictures of video.mp4", 139) as advance:
        for _ in range(139):
            sleep(0.0005)
            advance()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(r"reading pictures of video.mp4 ━+ 139/139 " + RATE, said)


def test_an_error_goes_through(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with progress_bar("finding people", 5) as advance:
            advance()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert "1/5" in capsys.readouterr().err


def test_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with no_progress("finding people", 5) as advance:
        advance()
        advance(4)
    assert capfd.readouterr() == ("", "")


def test_names_with_brackets_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("drawing my [bold]clip[/bold] [final].mp4", 1) as advance:
        advance()
    say("→ my [red]clip [/].mp4")
    said = capsys.readouterr().err
    assert "drawing my [bold]clip[/bold] [final].mp4" in said
    assert said.endswith("→ my [red]clip [/].mp4\n")


def test_long_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    say("a long line " * 100)
    assert capsys.readouterr().err.count("\n") == 1
