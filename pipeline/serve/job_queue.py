"""The queue of jobs: one runs at a time, the others wait; any can be cancelled."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ...errors import UsageError
from .clips import Clip, ClipFolder, Step

MOST_WAITING = 20
"""Jobs that wait at the same time, at most."""

_PATIENCE = 5.0  # seconds that a process is given to end


def worker_command(clips: ClipFolder, clip: Clip) -> list[str]:
    """Return the words that start the process of a clip's job."""
    words = [sys.executable, "-m", f"{__package__}.worker", clip.step, str(clips.video(clip))]
    return [*words, ",".join(map(str, clip.chosen))]


class JobQueue:
    """Runs the jobs of clips, one after another, in a thread. Use it as a context manager.

    Args:
        clips: The clips; a job changes the state of its own.
        command: Returns the words that start a clip's job.
    """

    def __init__(
        self, clips: ClipFolder, command: Callable[[ClipFolder, Clip], Sequence[str]] | None = None
    ) -> None:
        self._clips = clips
        self._command = command or worker_command
        self._waiting: deque[str] = deque()
        self._running: tuple[str, subprocess.Popen[str]] | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def __enter__(self) -> JobQueue:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._ended = True
            self._stop_running()
            self._changed.notify()
        self._thread.join(_PATIENCE)

    def check_room(self) -> None:
        """Raise `UsageError` if too many jobs are waiting."""
        if len(self._waiting) >= MOST_WAITING:
            raise UsageError(f"{MOST_WAITING} jobs are waiting already; try again when one has ended")

    def put(self, clip: Clip, step: Step, people: Sequence[int] = ()) -> None:
        """Let a clip wait for a step.

        Raises:
            UsageError: Too many jobs are waiting, or the clip is busy.
        """
        with self._changed:
            self.check_room()
            idle = self._clips.change(
                clip.id,
                when=lambda each: each.state not in ("waiting", "working") or clip.id not in self._busy(),
                state="waiting",
                step=step,
                chosen=tuple(people),
                message="",
                share=None,
            )
            if not idle:
                raise UsageError(f"{clip.video} is being worked on already")
            self._waiting.append(clip.id)
            self._changed.notify()

    def cancel(self, clip: Clip) -> None:
        """Stop a clip's job, or take it out of the queue."""
        with self._changed:
            if clip.id in self._waiting:
                self._waiting.remove(clip.id)
            self._clips.change(
                clip.id,
                when=lambda each: each.state in ("waiting", "working"),
                state="cancelled",
                message="",
                share=None,
            )
            if self._running is not None and self._running[0] == clip.id:
                self._stop_running()

    def position(self, clip: Clip) -> int:
        """Return how many jobs run before a clip's, 0 if it does not wait."""
        with self._changed:
            return (
                self._waiting.index(clip.id) + (self._running is not None) if clip.id in self._waiting else 0
            )

    def _busy(self) -> set[str]:
        return {*self._waiting, *([self._running[0]] if self._running else [])}

    def _stop_running(self) -> None:
        """Kill the running process, and wait until it has ended, so that it writes nothing more."""
        if self._running is not None:
            self._running[1].kill()
            self._running[1].wait(_PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                clip = self._clips.get(self._waiting.popleft())
                if clip is None or not self._clips.change(
                    clip.id, when=lambda each: each.state == "waiting", state="working", message="starting"
                ):
                    continue
                process = self._start(clip)
                self._running = clip.id, process
            try:
                self._follow(clip, process)
            finally:
                with self._changed:
                    self._running = None

    def _start(self, clip: Clip) -> subprocess.Popen[str]:
        log = (self._clips.folder(clip) / "log.txt").open("a", encoding="utf-8")
        with log:
            return subprocess.Popen(
                self._command(self._clips, clip),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                errors="replace",
            )

    def _follow(self, clip: Clip, process: subprocess.Popen[str]) -> None:
        """Read what the process writes until it ends, and set the clip's state."""
        values: dict[str, Any] = {}
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # printed by a library
                values |= told
                if "message" in told:
                    self._change(clip, message=told["message"], share=told["share"])
        process.wait()
        if "error" in values:
            self._change(clip, state="failed", message=values["error"], share=None)
        elif not values.get("done"):
            self._change(
                clip,
                state="failed",
                message="a bug or a lack of memory ended it; log.txt says more",
                share=None,
            )
        elif clip.step == "people":
            self._change(clip, state="choose", people=tuple(values["people"]), message="", share=None)
        else:
            self._change(clip, state="done", message="", share=None)

    def _change(self, clip: Clip, **values: Any) -> None:
        """Change a clip unless it was cancelled or removed."""
        self._clips.change(clip.id, when=lambda each: each.state == "working", **values)
