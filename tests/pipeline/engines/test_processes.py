"""Work in several processes, with small tasks that can be imported."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from videopose.errors import InputError
from videopose.pipeline.engines.processes import WorkerDiedError, do_in_processes
from videopose.pipeline.engines.tasks import do_all

PROGRAM = """
import os, signal, sys, time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from videopose.cores import available_cores
from videopose.errors import InputError
from videopose.pipeline.progress import progress_bar, say


@dataclass
class Task:
    folder: Path

    @cached_property
    def loaded(self):
        (self.folder / f"loaded-{os.getpid()}").touch()
        return available_cores()

    def do(self, item, failed):
        assert self.loaded >= 1
        with progress_bar(f"working on {item}", 2) as advance:
            advance(2)
        if item == "bad":
            failed(InputError("bad cannot be read"))
        if item == "bug":
            failed(ZeroDivisionError("seven"))
        if item == "impossible":
            raise InputError("no network")
        if item == "deadly" or (item == "once" and not (self.folder / "died").exists()):
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "long":
            try:
                (self.folder / f"began-{os.getpid()}").touch()
                time.sleep(60)
            finally:
                (self.folder / f"cleaned-{os.getpid()}").touch()
        say(f"→ {item}")
"""

MAIN = """
import sys
from pathlib import Path
from small_task import Task
from videopose.pipeline.engines.processes import do_in_processes

if __name__ == "__main__":
    do_in_processes(Task(Path(sys.argv[1])), ["long"] * 2, print, print, jobs=2)
"""


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "small_task.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    sys.modules.pop("small_task", None)
    from small_task import Task

    return Task(tmp_path)


def test_all_items_by_two_processes_that_load_once(task, tmp_path, capsys):
    errors: list[Exception] = []
    done: list[str] = []
    items = ["a", "bad", "b", "bug", "c", "d"]
    do_in_processes(task, items, errors.append, done.append, jobs=2)
    assert sorted(done) == ["a", "b", "c", "d"]
    assert sorted(str(error) for error in errors) == ["bad cannot be read", "seven"]
    assert {type(error) for error in errors} == {InputError, ZeroDivisionError}
    assert len(list(tmp_path.glob("loaded-*"))) == 2
    said = capsys.readouterr().err
    assert "→ a\n" in said
    assert "working on d: 2 in " in said


def test_the_same_as_one_after_another(task):
    errors: list[Exception] = []
    done: list[str] = []
    do_all(task, ["a", "bad", "b"], errors.append, done.append)
    assert done == ["a", "b"]
    assert [str(error) for error in errors] == ["bad cannot be read"]


def test_what_is_impossible_ends_all(task):
    with pytest.raises(InputError, match="no network"):
        do_in_processes(task, ["impossible", "a"], print, print, jobs=2)


def test_the_item_of_a_process_that_dies_is_tried_once_more(task):
    errors: list[Exception] = []
    done: list[str] = []
    do_in_processes(task, ["once", "a", "deadly", "b"], errors.append, done.append, jobs=2)
    assert sorted(done) == ["a", "b", "once"]
    [error] = errors
    assert isinstance(error, WorkerDiedError)
    assert str(error).startswith("deadly: the process that worked on it was killed")


@pytest.mark.skipif(os.name == "nt", reason="sends the signals of Unix")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_workers_clean_up_and_end_if_the_parent_does(task, tmp_path, name):
    (tmp_path / "start.py").write_text(MAIN)
    parent = subprocess.Popen([sys.executable, tmp_path / "start.py", tmp_path], stderr=subprocess.DEVNULL)
    _wait_for(tmp_path, "began-*")
    parent.send_signal(getattr(signal, name))
    parent.wait(timeout=30)
    _wait_for(tmp_path, "cleaned-*")


def _wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.glob(pattern))) < 2:
        assert time.monotonic() < deadline, sorted(path.name for path in folder.iterdir())
        time.sleep(0.05)
