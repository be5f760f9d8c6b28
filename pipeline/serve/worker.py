"""The process of one job: it runs a step and writes lines of JSON about it to stdout.

A line is {"message", "share"} for progress, {"people"} for the people who were found, {"error"} if it failed,
or {"done": true} at the end. A job is a process, so that it can be stopped at any moment, and so that a video
that makes it crash does not end the server.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import VideoposeError
from ..progress import Advance

_EVERY = 0.2  # seconds between two lines about progress


def tell(**values: Any) -> None:
    """Write one line."""
    print(json.dumps(values), flush=True)


@contextmanager
def told_progress(description: str, total: int | None) -> Iterator[Advance]:
    """Write lines about progress; a `Progress`."""
    done, told = 0, 0.0

    def advance(count: int = 1, /) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            tell(message=description, share=min(done / total, 1.0) if total else None)

    tell(message=description, share=None)
    yield advance


def main(arguments: list[str]) -> None:
    """Run a step. arguments: the step's name, the video's path, and the ids of people with commas."""
    step, video, people = arguments
    try:
        from .steps import find_people, make_motion

        if step == "people":
            tell(people=find_people(Path(video), told_progress))
        else:
            make_motion(Path(video), [int(each) for each in people.split(",")], told_progress)
    except VideoposeError as error:
        tell(error=str(error).replace(str(Path(video).parent) + "/", ""))
    else:
        tell(done=True)


if __name__ == "__main__":
    main(sys.argv[1:])
