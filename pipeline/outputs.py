"""Which files go in and what comes out under which name, settled before any work begins."""

from __future__ import annotations

import os
import tempfile
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
ANIMATION_SUFFIX = ".3d.mp4"
_APART = "run them apart with --output"


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
            if p.is_file()
            and p.suffix.lower() in VIDEO_SUFFIXES
            and not p.name.startswith(".")
            and not p.name.endswith(ANIMATION_SUFFIX)
        )
        if not inside:
            raise InputError(
                f"{path}: no video in this folder (looked for {' '.join(sorted(VIDEO_SUFFIXES))})"
            )
        videos += inside
    return list(dict.fromkeys(videos))


def plan(videos: Sequence[Path], output: Path | None, *, animation: bool) -> list[Job]:
    """Results beside each video, or in `output`.

    Raises `UsageError` where two would share a name, or one would replace another's video.
    """
    jobs: dict[str, Job] = {}
    read = {os.path.abspath(video): video for video in videos}
    for video in videos:
        base = (output or video.parent) / video.stem
        table = base.with_name(base.name + ".npz")
        job = Job(video, table, base.with_name(base.name + ANIMATION_SUFFIX) if animation else None)
        other = jobs.setdefault(os.path.abspath(table), job)
        if other is not job:
            raise UsageError(f"{other.video} and {video} would both write {table}; {_APART}")
        for result in job.results:
            if os.path.abspath(result) in read:
                raise UsageError(f"the animation of {video} would replace {result}; {_APART}")
    return list(jobs.values())


def check_free(results: Sequence[Path], *, overwrite: bool, elsewhere: str = "--output DIR") -> None:
    """To be called before the work that makes the results; `elsewhere` is the option to put them there.

    Raises `OutputError` where one of them could not be written, or exists and may not be replaced.
    """
    for path in results:
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists; --overwrite replaces it, {elsewhere} writes elsewhere")
        check_writable(path.parent)


def check_writable(folder: Path) -> None:
    """Raises `OutputError` where no file can be made in `folder`, or it cannot be made itself.

    Leaves nothing behind, not even the folder.
    """
    place = folder.absolute()
    while not os.path.exists(place) and place != place.parent:
        place = place.parent
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        reason = "not a folder" if not place.is_dir() else (error.strerror or error)
        raise OutputError(f"cannot write to {folder}: {place}: {reason}; see --output") from error
