"""Jobs of processes that are quicker than real ones."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from videopose.errors import UsageError
from videopose.pipeline.serve import job_queue
from videopose.pipeline.serve.clips import Clip, ClipFolder
from videopose.pipeline.serve.job_queue import JobQueue

QUICK = """
print('{"message": "looking", "share": 0.5}')
print("a library speaks")
print('{"people": [{"id": 1, "picture": "p.jpg"}]}')
print('{"done": true}')
"""
SLOW = 'import time; print(\'{"message": "sleeping", "share": null}\', flush=True); time.sleep(60)'


def started(clips: ClipFolder, *programs: str) -> tuple[JobQueue, list[Clip]]:
    """A queue in which each clip's job is a program, and the clips."""
    made = []
    for number in range(len(programs)):
        made.append(clips.new(f"{number}.mp4"))
        clips.add(made[-1])
    by_id = {clip.id: program for clip, program in zip(made, programs, strict=True)}
    return JobQueue(clips, lambda _, clip: [sys.executable, "-c", by_id[clip.id]]), made


def state(clips: ClipFolder, clip: Clip) -> str:
    found = clips.get(clip.id)
    assert found is not None
    return found.state


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_jobs_run_one_after_another(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    queue, (slow, quick) = started(clips, SLOW, QUICK)
    with queue:
        for clip in (slow, quick):
            queue.put(clip, "people")
        wait(lambda: getattr(clips.get(slow.id), "message", "") == "sleeping")
        assert state(clips, quick) == "waiting"
        assert (queue.position(slow), queue.position(quick)) == (0, 1)
        with pytest.raises(UsageError, match=r"0\.mp4 is being worked on already"):
            queue.put(slow, "people")
        queue.cancel(slow)
        wait(lambda: state(clips, quick) == "choose")
        assert state(clips, slow) == "cancelled"
        found = clips.get(quick.id)
        assert found is not None
        assert found.people == ({"id": 1, "picture": "p.jpg"},)
        queue.put(quick, "motion", [1])
        wait(lambda: state(clips, quick) == "done")


def test_a_job_that_waits_is_cancelled(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    queue, (slow, waiting) = started(clips, SLOW, QUICK)
    with queue:
        queue.put(slow, "people")
        queue.put(waiting, "people")
        queue.cancel(waiting)
        assert (state(clips, waiting), queue.position(waiting)) == ("cancelled", 0)
        queue.put(waiting, "people")  # and tried again
        queue.cancel(slow)
        wait(lambda: state(clips, waiting) == "choose")


def test_jobs_that_fail(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    queue, (told, crashed, after) = started(
        clips, 'print(\'{"error": "no person"}\')', "import os; os.abort()", QUICK
    )
    with queue:
        for clip in (told, crashed, after):
            queue.put(clip, "people")
        wait(lambda: state(clips, after) == "choose")
        messages = [getattr(clips.get(clip.id), "message", "") for clip in (told, crashed)]
        assert (state(clips, told), state(clips, crashed)) == ("failed", "failed")
        assert messages[0] == "no person"
        assert "log.txt says more" in messages[1]


def test_the_end_of_the_server_ends_the_job(tmp_path: Path) -> None:
    clips = ClipFolder.open(tmp_path)
    queue, (slow,) = started(clips, SLOW)
    with queue:
        queue.put(slow, "people")
        wait(lambda: getattr(clips.get(slow.id), "message", "") == "sleeping")
        begun = time.monotonic()
    assert time.monotonic() - begun < 10


def test_the_queue_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MOST_WAITING", 1)
    clips = ClipFolder.open(tmp_path)
    queue, (first, second) = started(clips, QUICK, QUICK)
    queue.put(first, "people")  # the queue has not been started, so it waits
    with pytest.raises(UsageError, match="1 jobs are waiting already"):
        queue.put(second, "people")
