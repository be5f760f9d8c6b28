"""The videos of `infer` and `detect` on a cluster, and their results, as paths that fsspec understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InputError, OutputError, UsageError
from ..inputs import VIDEO_SUFFIXES
from ..paths import ANIMATION_SUFFIX, DETECTED_SUFFIX, OVERLAY_SUFFIX, PAGE_SUFFIX, TABLE_SUFFIX
from ..remote_files import file_system, folder_of, is_remote, joined, name_of

if TYPE_CHECKING:
    from ..exports.export_tables import ExportOptions


@dataclass(frozen=True)
class ClusterJob:
    """One video and its results, as paths of this machine or of a store such as s3://.

    Attributes:
        source: The video.
        table: The pose table to write.
        animation: The animation to write; None if it is not wanted.
        page: The page to write; None if it is not wanted. It is written where the command was started.
    """

    source: str
    table: str
    animation: str | None
    page: str | None = None

    def __str__(self) -> str:
        return self.source


def plan_cluster_jobs(
    inputs: Sequence[str],
    output: str | None,
    *,
    lifts: bool,
    animation: bool,
    overwrite: bool,
    export: ExportOptions | None = None,
    page: bool = False,
) -> list[ClusterJob]:
    """Find the videos, and name and check their results.

    Args:
        inputs: Videos, or folders of them.
        output: Folder of the results; None for the folder of each video.
        lifts: Whether poses are made, and not only keypoints.
        animation: Write animations too.
        overwrite: Replace results that exist.
        export: What will be exported of each table; None for nothing.
        page: Write pages too.

    Raises:
        InputError: There is no video.
        OutputError: A result exists and may not be replaced.
        UsageError: Two videos would write the same file, or a page is wanted of what is in a store.
    """
    jobs: dict[str, ClusterJob] = {}
    for source in [video for each in inputs for video in _videos(each)]:
        folder = output or folder_of(source)
        stem = Path(name_of(source)).stem
        table = joined(folder, stem + (TABLE_SUFFIX if lifts else DETECTED_SUFFIX))
        film = joined(folder, stem + ANIMATION_SUFFIX) if animation else None
        html = joined(folder, stem + PAGE_SUFFIX) if page else None
        if html is not None and (is_remote(html) or is_remote(source)):
            raise UsageError(
                f"--view makes pages of files that this machine sees, found {source} and {table}; leave it "
                "out, and use `videopose view` on copies"
            )
        _check_free([each for each in (table, film, html) if each], export, overwrite=overwrite)
        job = jobs.setdefault(table, ClusterJob(source, table, film, html))
        if job.source != source:
            raise UsageError(f"{job} and {source} would both write {table}; run them apart with --output")
    return list(jobs.values())


def _check_free(results: Sequence[str], export: ExportOptions | None, *, overwrite: bool) -> None:
    """Check that no result, the table first, is there, and no file that an export of the table can write."""
    if overwrite:
        return
    found = []
    for result in results:
        system, inside = file_system(result)
        if system.exists(inside):
            found.append(result)
    if export is not None:
        found += _exported(results[0], export)
    if found:
        raise OutputError(f"{found[0]} exists; --overwrite replaces it, --output DIR writes elsewhere")


def _exported(table: str, export: ExportOptions) -> list[str]:
    """Return the files beside a table that an export of it can have written."""
    from ..exports.export_tables import exported_names

    folder, base = folder_of(table), name_of(table).removesuffix(TABLE_SUFFIX)
    system, inside = file_system(folder)
    if not system.isdir(inside):
        return []
    names = [name_of(path) for path in system.ls(inside, detail=False)]
    return [joined(folder, name) for name in exported_names(base, names, export.formats)]


def _videos(path: str) -> list[str]:
    """Return a video, or the videos directly in a folder."""
    system, inside = file_system(path)
    if not system.exists(inside):
        raise InputError(f"cannot read {path}: there is no such file")
    if not system.isdir(inside):
        return [path]
    names = sorted(name_of(found) for found in system.ls(inside, detail=False))
    results = (ANIMATION_SUFFIX, OVERLAY_SUFFIX)
    videos = [n for n in names if Path(n).suffix.lower() in VIDEO_SUFFIXES and not n.endswith(results)]
    if not videos:
        raise InputError(f"{path}: no video in this folder")
    return [joined(path, name) for name in videos]
