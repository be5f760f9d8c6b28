"""Find the input files and choose the names of results, before processing starts."""

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
DETECTED_SUFFIX = ".2d.npz"  # a pose table without poses
ANIMATION_SUFFIX = ".3d.mp4"
SHEET_SUFFIX = ".people.png"
OVERLAY_SUFFIX = ".2d.mp4"  # an animation of such a table
_APART = "run them apart with --output"


@dataclass(frozen=True)
class Job:
    """One input and the names of its results.

    Attributes:
        source: A video or a pose table.
        table: The pose table to write.
        animation: The animation to write; None if it is not wanted.
    """

    source: Path
    table: Path
    animation: Path | None

    @property
    def results(self) -> list[Path]:
        """All files that the job writes."""
        return [self.table] if self.animation is None else [self.table, self.animation]


def find_videos(inputs: Sequence[Path]) -> list[Path]:
    """Return the input files, and for a folder the videos directly in it, by name.

    Animations of an earlier run are left out.

    Raises:
        InputError: A folder has no video.
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
    """Return the input files, and for a folder the pose tables in it that `detect` wrote, by name.

    Raises:
        InputError: A folder has no such table.
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
    """Return the name of a video or table without its suffix."""
    return source.name[: -len(DETECTED_SUFFIX)] if source.name.endswith(DETECTED_SUFFIX) else source.stem


def plan(
    sources: Sequence[Path], output: Path | None, *, animation: bool, suffix: str = TABLE_SUFFIX
) -> list[Job]:
    """Name the results of each input.

    Args:
        sources: Videos or pose tables.
        output: Folder for the results; None for the folder of each input.
        animation: Write animations too.
        suffix: Suffix of the pose tables.

    Raises:
        UsageError: Two inputs would write the same file, or one would replace another input.
    """
    jobs: dict[str, Job] = {}
    read = {_identity(source) for source in sources}
    for source in sources:
        folder, base = output or source.parent, base_name(source)
        table = folder / (base + suffix)
        job = Job(source, table, folder / (base + ANIMATION_SUFFIX) if animation else None)
        other = jobs.setdefault(_identity(table), job)
        if other is not job:
            raise UsageError(f"{other.source} and {source} would both write {table}; {_APART}")
        for result in job.results:
            if _identity(result) in read - {_identity(source)}:
                raise UsageError(f"the animation of {source} would replace {result}; {_APART}")
    return list(jobs.values())


def _identity(path: Path) -> str:
    """Return a text that is the same for two spellings of one path; Windows ignores upper and lower case."""
    return os.path.normcase(os.path.abspath(path))


def check_free(results: Sequence[Path], *, overwrite: bool, elsewhere: str = "--output DIR") -> None:
    """Check that results can be written; call this before the work that makes them.

    Args:
        results: Files to write.
        overwrite: Whether files that exist may be replaced.
        elsewhere: The option by which the user can choose other files, for the message.

    Raises:
        OutputError: A file cannot be written, or exists and may not be replaced.
    """
    for path in results:
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists; --overwrite replaces it, {elsewhere} writes elsewhere")
        check_writable(path.parent)


def check_writable(folder: Path) -> None:
    """Check that a file can be written in a folder, which need not exist; nothing is left there.

    Raises:
        OutputError: The folder cannot be written.
    """
    place = folder.absolute()
    while not os.path.exists(place) and place != place.parent:
        place = place.parent
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        reason = "not a folder" if not place.is_dir() else (error.strerror or error)
        raise OutputError(f"cannot write to {folder}: {place}: {reason}; see --output") from error
