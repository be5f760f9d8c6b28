"""Which files go in and what comes out under which name, settled before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, OutputError, UsageError

VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3gp", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg"),
        *("mts", "mxf", "ogv", "ts", "webm", "wmv"),
    )
)
_ANIMATION = ".3d.mp4"


@dataclass(frozen=True)
class Job:
    """One video and the names of its results; `animation` is None where none is wanted."""

    video: Path
    table: Path
    animation: Path | None

    @property
    def results(self) -> list[Path]:
        """Every file that the job writes."""
        return [self.table] if self.animation is None else [self.table, self.animation]


def find_videos(inputs: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder the videos in it, by suffix and name.

    Not deeper, and not the animations that an earlier run left there. Raises `InputError` for a folder
    without videos.
    """
    videos: list[Path] = []
    for path in inputs:
        if not path.is_dir():
            videos.append(path)
            continue
        inside = sorted(
            p
            for p in path.iterdir()
            if p.suffix.lower() in VIDEO_SUFFIXES
            and not p.name.startswith(".")
            and not p.name.endswith(_ANIMATION)
        )
        if not inside:
            raise InputError(
                f"{path}: no video in this folder (looked for {' '.join(sorted(VIDEO_SUFFIXES))})"
            )
        videos += inside
    return list(dict.fromkeys(videos))


def plan(videos: Sequence[Path], output: Path | None, *, animation: bool) -> list[Job]:
    """Results beside each video, or in `output`. Raises `UsageError` where two would share a name."""
    jobs: dict[Path, Job] = {}
    for video in videos:
        base = (output or video.parent) / video.stem
        table = base.with_name(base.name + ".npz")
        if table in jobs:
            raise UsageError(
                f"{jobs[table].video} and {video} would both write {table}; run them apart with --output"
            )
        jobs[table] = Job(video, table, base.with_name(base.name + _ANIMATION) if animation else None)
    return list(jobs.values())


def check_free(job: Job, *, overwrite: bool) -> None:
    """Raises `OutputError` where a result exists and may not be replaced."""
    taken = [path for path in job.results if path.exists()]
    if taken and not overwrite:
        raise OutputError(f"{taken[0]} exists; --overwrite replaces it, --output DIR writes elsewhere")
