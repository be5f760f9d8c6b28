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
TABLE_SUFFIX = ".npz"
DETECTED_SUFFIX = ".2d.npz"  # of a pose table without poses
ANIMATION_SUFFIX = ".3d.mp4"
OVERLAY_SUFFIX = ".2d.mp4"  # of an animation of such a table
_APART = "run them apart with --output"


@dataclass(frozen=True)
class Job:
    """One input, a video or a pose table, and the names of its results; `animation` is None if unwanted."""

    source: Path
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
            and not p.name.endswith((ANIMATION_SUFFIX, OVERLAY_SUFFIX))
        )
        if not inside:
            raise InputError(
                f"{path}: no video in this folder (looked for {' '.join(sorted(VIDEO_SUFFIXES))})"
            )
        videos += inside
    return list(dict.fromkeys(videos))


def find_tables(inputs: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder the pose tables in it that `detect` wrote, by name.

    Raises `InputError` for a folder without one.
    """
    tables: list[Path] = []
    for path in inputs:
        inside = sorted(path.glob("*" + DETECTED_SUFFIX)) if path.is_dir() else [path]
        if not inside:
            raise InputError(
                f"{path}: no {DETECTED_SUFFIX} table in this folder; `videopose detect` makes them"
            )
        tables += inside
    return list(dict.fromkeys(tables))


def base_name(source: Path) -> str:
    """A video's or a table's name without what `videopose` knows by its ending."""
    return source.name[: -len(DETECTED_SUFFIX)] if source.name.endswith(DETECTED_SUFFIX) else source.stem


def plan(
    sources: Sequence[Path], output: Path | None, *, animation: bool, suffix: str = TABLE_SUFFIX
) -> list[Job]:
    """Results beside each video or table, or in `output`. suffix: of the pose tables to be written.

    Raises `UsageError` where two would share a name, or one would replace another's input.
    """
    jobs: dict[str, Job] = {}
    read = {os.path.abspath(source) for source in sources}
    for source in sources:
        folder, base = output or source.parent, base_name(source)
        table = folder / (base + suffix)
        job = Job(source, table, folder / (base + ANIMATION_SUFFIX) if animation else None)
        other = jobs.setdefault(os.path.abspath(table), job)
        if other is not job:
            raise UsageError(f"{other.source} and {source} would both write {table}; {_APART}")
        for result in job.results:
            if os.path.abspath(result) in read - {os.path.abspath(source)}:
                raise UsageError(f"the animation of {source} would replace {result}; {_APART}")
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
