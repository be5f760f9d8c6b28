"""The checks before the work on one file: names, locks, and what an earlier run has finished."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InputError
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import find_camera
from ..output_lock import output_lock
from ..paths import Job, check_free
from ..picture_files import is_sequence
from ..progress import say
from ..video.container import DEFAULT_RATE
from ..video.reader import Video, open_video
from ..video.source import check_source
from .kept_parts import KeptParts
from .options import DetectOptions, InferOptions
from .requests import detection_request, lifting_digest, of_parts, request_digest

if TYPE_CHECKING:
    from ..exports.export_tables import ExportOptions


@contextmanager
def video_to_do(
    job: Job, options: DetectOptions, overwrite: bool, command: str, export: ExportOptions | None
) -> Iterator[tuple[Video, PoseTable | None]]:
    """Open a job's video, and lock its results.

    Give the video, and the table if an earlier run with the same options finished it, but not the other
    results.
    """
    with ExitStack() as stack:
        note_assumed_rate(job.source, options)
        video = stack.enter_context(open_video(job.source, fps=options.fps, rotate=options.rotate))
        stack.enter_context(output_lock(job.results, command))
        finished = _finished_table(job, video, options) if _is_incomplete(job, export) else None
        if finished is None:
            check_all_free(job, export, overwrite)
        else:
            say(f"{job.table} is complete; what is missing beside it is made")
        yield video, finished


def note_assumed_rate(source: Path, options: DetectOptions) -> None:
    """Print a note if the rate of pictures is assumed."""
    if options.fps is None and is_sequence(source):
        say(f"note: {source}: pictures are taken as {DEFAULT_RATE:g} a second; --fps would tell")


def check_video(job: Job, export: ExportOptions | None, overwrite: bool) -> None:
    """Check the names of a video and its results.

    A table beside which something is missing may be finished; that is checked later.
    """
    if not (_is_incomplete(job, export) and _is_lifted_table(job.table)):
        check_all_free(job, export, overwrite)
    if not is_sequence(job.source):
        check_source(job.source)


def _is_lifted_table(path: Path) -> bool:
    """Whether a file is a pose table that `infer` has finished."""
    try:
        return "lifting_request" in PoseTable.load(path).meta
    except InputError:
        return False


def _is_incomplete(job: Job, export: ExportOptions | None) -> bool:
    """Whether there is a table, and the animation, the page, or all files of a format are missing."""
    if not os.path.exists(job.table):  # Path.exists() raises errors for names that are too long
        return False
    if not all(os.path.exists(path) for path in job.results):
        return True
    if export is None:
        return False
    from ..exports.export_tables import missing_formats

    return bool(missing_formats(job.table, export))


def _finished_table(job: Job, video: Video, options: DetectOptions) -> PoseTable | None:
    """Return the job's table if it was made of this video with these options."""
    try:
        table = PoseTable.load(job.table)
    except InputError:  # another file, or a damaged one
        return None
    if not isinstance(options, InferOptions) or options.keypoints is not None or options.adapt is not None:
        return None
    lens, _ = find_camera(video.path, options.focal, video.size)
    request = detection_request(options, video_digest=video.digest(), lens=lens)
    if table.meta.get("request") != request_digest(request):
        return None
    if table.meta.get("lifting_request") != lifting_digest(options):
        return None
    # The earlier run may have been killed before it removed them.
    KeptParts.remove(detection_request(of_parts(options), video_digest=video.digest(), lens=lens))
    return table


def check_all_free(job: Job, export: ExportOptions | None, overwrite: bool) -> None:
    """Check that all results of a job, its exports too, can be written."""
    check_free(job.results, overwrite=overwrite)
    if export is not None:
        from ..exports.export_tables import check_not_exported  # loads SciPy's filters

        check_not_exported(job.table, export, overwrite=overwrite)
