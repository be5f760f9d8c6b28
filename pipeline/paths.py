"""Choose the names of results, and check that they can be written, before processing starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import OutputError, UsageError
from ..files import check_target
from .picture_files import find_pictures, is_sequence, sequence_name

TABLE_SUFFIX = ".npz"
DETECTED_SUFFIX = ".2d.npz"  # a pose table without poses
PAGE_SUFFIX = ".html"
STILL_SUFFIX = ".png"
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
        page: The page to write; None if it is not wanted.
    """

    source: Path
    table: Path
    animation: Path | None
    page: Path | None = None

    def __str__(self) -> str:
        return str(self.source)

    @property
    def results(self) -> list[Path]:
        """All files that the job writes."""
        return [path for path in (self.table, self.animation, self.page) if path is not None]


def is_table(source: str | os.PathLike[str]) -> bool:
    """Whether a file is named as a pose table."""
    return os.fspath(source).lower().endswith(TABLE_SUFFIX)


def base_name(source: Path) -> str:
    """Return the name of a video or table without its suffix; for pictures that of their sequence."""
    if source.name.endswith(DETECTED_SUFFIX):
        return source.name[: -len(DETECTED_SUFFIX)]
    return sequence_name(source) if is_sequence(source) else source.stem


def plan(
    sources: Sequence[Path], output: Path | None, *, animation: bool, suffix: str = TABLE_SUFFIX
) -> list[Job]:
    """Name the results of each input.

    Inputs of one name that differ in their suffixes keep these in the names of their results: walk.mp4.npz
    and walk.mov.npz.

    Args:
        sources: Videos or pose tables.
        output: Folder for the results; None for the folder of each input.
        animation: Write animations too.
        suffix: Suffix of the pose tables.

    Raises:
        UsageError: Two inputs would write the same file, or one would replace another input.
    """
    jobs: dict[str, Job] = {}
    read = {identity(source) for source in sources}
    short = [_job(source, output, base_name(source), animation, suffix) for source in sources]
    names: dict[str, list[str]] = {}
    for job in short:
        names.setdefault(identity(job.table), []).append(job.source.name)
    for job in short:
        source = job.source
        alike = names[identity(job.table)]
        if len(alike) > 1 and len({*alike}) == len(alike) and not is_sequence(source):
            job = _job(source, output, source.name.removesuffix(DETECTED_SUFFIX), animation, suffix)
        other = jobs.setdefault(identity(job.table), job)
        if other is not job:
            raise UsageError(f"{other.source} and {source} would both write {job.table}; {_APART}")
        for result in job.results:
            if identity(result) in read - {identity(source)}:
                raise UsageError(f"the animation of {source} would replace {result}; {_APART}")
    return list(jobs.values())


def with_pages(jobs: Sequence[Job], wanted: bool) -> list[Job]:
    """Return the jobs with the names of their pages, if pages are wanted."""
    if not wanted:
        return list(jobs)
    return [replace(job, page=job.table.with_suffix(PAGE_SUFFIX)) for job in jobs]


def _job(source: Path, output: Path | None, base: str, animation: bool, suffix: str) -> Job:
    folder = output or source.parent
    return Job(source, folder / (base + suffix), folder / (base + ANIMATION_SUFFIX) if animation else None)


def identity(path: Path) -> str:
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
        check_target(path)
        if os.path.lexists(path) and not overwrite:
            raise OutputError(f"{path} exists; --overwrite replaces it, {elsewhere} writes elsewhere")
        check_writable(path.parent)


def check_is_other(target: Path, source: Path | None, what: str = "video") -> None:
    """Check that a result does not replace a file that it is made from, whatever may be overwritten.

    Args:
        target: File to write.
        source: A file that is read, or a sequence of pictures; None for none.
        what: What `source` is, for the message.

    Raises:
        UsageError: `target` is `source`, by this or another name, or one of its pictures.
    """
    if source is None or not target.exists():
        return
    files = find_pictures(source).files if is_sequence(source) else (source,)
    if any(file.exists() and target.samefile(file) for file in files):
        whole = "the" if files == (source,) else "a picture of the"
        raise UsageError(f"{target} is {whole} {what} itself; --output writes elsewhere")


def check_writable(folder: Path, option: str = "--output") -> None:
    """Check that a file can be written in a folder, which need not exist; nothing is left there.

    Args:
        folder: The folder.
        option: The option that names another folder.

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
        raise OutputError(f"cannot write to {folder}: {place}: {reason}; see {option}") from error
