"""Process files, also several at once: from videos and pose tables to pose tables and animations."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from ...errors import UsageError
from ...files import file_digest, replacing
from ..downloads import assets
from ..engines.processes import do_in_processes
from ..engines.tasks import do_all
from ..naming import naming
from ..paths import Job, check_free, check_is_other, is_table
from ..progress import DOING, ReportError, say
from .file_work import DetectVideos, FileWork, InferVideos, LiftTables
from .options import DetectOptions, InferOptions, LiftOptions
from .together import FindPeople, LiftFound

if TYPE_CHECKING:
    from ..exports.export_tables import ExportOptions

Loaded = TypeVar("Loaded")
Finish = Callable[[Job], None]
"""What is called for each job whose results are written."""


def infer_videos(
    jobs: Sequence[Job],
    options: InferOptions,
    *,
    overwrite: bool,
    command: str,
    failed: ReportError,
    export: ExportOptions | None = None,
    finish: Finish | None = None,
    processes: int = 1,
) -> None:
    """Make pose tables and animations of videos.

    Args:
        jobs: The videos, and the names of their results.
        options: How people are found, followed and lifted.
        overwrite: Replace results that exist.
        command: Recorded in the tables' `meta`.
        failed: Called for each job that failed. The other jobs are still done.
        export: What to export of each table; None for nothing.
        finish: Called with each job whose results are written; what it raises makes the job a failed one.
        processes: Number of files that are processed at once, each in a process of its own.

    Raises:
        VideoposeError: The networks cannot be loaded, or several videos would share one video's keypoints.
    """

    _check_keypoints(jobs, options)
    work = InferVideos(options, overwrite, command, export)
    if options.adapt == "together" and len(jobs) > 1:
        _run_together(work, jobs, failed, processes, finish)
    else:
        _run(work, jobs, failed, processes, finish)


def detect_videos(
    jobs: Sequence[Job],
    options: DetectOptions,
    *,
    overwrite: bool,
    command: str,
    failed: ReportError,
    processes: int = 1,
) -> None:
    """Make pose tables without poses of videos. See `infer_videos` for arguments and errors."""
    _check_keypoints(jobs, options)
    _run(DetectVideos(options, overwrite, command), jobs, failed, processes)


def show_people(
    jobs: Sequence[Job],
    options: DetectOptions,
    *,
    video: Path | None,
    overwrite: bool,
    command: str,
    failed: ReportError,
) -> None:
    """Draw the contact sheets of videos and pose tables. See `infer_videos` for the other arguments.

    Args:
        video: The video of the one pose table; None for the one beside each.

    Raises:
        UsageError: A video is given, and there are several files.
        VideoposeError: See `infer_videos`.
    """
    from .people.work import ShowPeople  # loads parts of SciPy

    if video is not None and len(jobs) > 1:
        raise UsageError(
            f"--video is the video of one table, found {len(jobs)} files; leave --video out, and put each "
            "table beside its video"
        )
    _check_keypoints([job for job in jobs if not is_table(job.source)], options)
    _run(ShowPeople(options, overwrite, command, video, several=len(jobs) > 1), jobs, failed, 1)


def lift_tables(
    jobs: Sequence[Job],
    options: LiftOptions,
    *,
    overwrite: bool,
    command: str,
    failed: ReportError,
    export: ExportOptions | None = None,
    finish: Finish | None = None,
    processes: int = 1,
) -> None:
    """Lift pose tables, and make animations. See `infer_videos` for the arguments."""
    work = LiftTables(options, overwrite, command, export)
    if options.adapt == "together" and len(jobs) > 1:
        _run_together(work, jobs, failed, processes, finish)
    else:
        _run(work, jobs, failed, processes, finish)


def _run(
    work: FileWork[Loaded],
    jobs: Sequence[Job],
    failed: ReportError,
    processes: int,
    finish: Finish | None = None,
) -> None:
    """Do the work on each file, in one or several processes.

    Names of inputs and results are checked for all jobs before the first is done.
    """
    task, ready = _FileTask(work, several=len(jobs) > 1), _checked(work, jobs, failed)

    def finished(job: Job) -> None:
        try:
            if finish is not None:
                finish(job)
        except Exception as error:
            failed(error)

    if processes > 1 and len(ready) > 1:
        do_in_processes(task, ready, failed, finished, jobs=processes)
    else:
        do_all(task, ready, failed, finished)


def _run_together(
    work: InferVideos | LiftTables,
    jobs: Sequence[Job],
    failed: ReportError,
    processes: int,
    finish: Finish | None,
) -> None:
    """Find the people of all jobs, adapt the lifter to them together, and lift each job."""
    if processes > 1:
        say("note: --adapt together works on one file at a time, whatever --jobs says")
    finding = FindPeople(work)
    with finding:
        _run(finding, jobs, failed, 1)
        if finding.found:
            lifter = finding.adapted_lifter()
            _run(LiftFound(work, finding.found, lifter), list(finding.found), failed, 1, finish)


@dataclass
class _FileTask(Generic[Loaded]):
    """Does the work on a file. The networks are loaded once, when they are first needed."""

    work: FileWork[Loaded]
    several: bool

    def do(self, item: Job, failed: ReportError) -> None:
        do_job(self.work, item, lambda: self._networks, failed, several=self.several)

    @cached_property
    def _networks(self) -> Loaded:
        try:
            with naming(None):
                return self.work.load()
        except Exception as error:
            raise _NotLoadedError(error) from error


def _checked(work: FileWork[Loaded], jobs: Sequence[Job], failed: ReportError) -> list[Job]:
    """Return the jobs whose input can be a video or table, and whose results can be written."""
    ready = []
    for job in jobs:
        try:
            work.check(job)
        except Exception as error:
            failed(error)
        else:
            ready.append(job)
    return ready


def do_job(
    work: FileWork[Loaded],
    job: Job,
    networks: Callable[[], Loaded],
    failed: ReportError,
    *,
    several: bool = False,
) -> None:
    """Do the work on one file.

    Args:
        work: The work.
        job: The file, and the names of its results.
        networks: Loads the networks, or gives those that are loaded.
        failed: Called if the job failed.
        several: Whether there are several files, so that notes, warnings and errors name theirs.

    Raises:
        VideoposeError: The networks cannot be loaded, so that no job can be done.
    """
    with ExitStack() as stack:
        try:
            with naming(job.source if several else None):
                stack.enter_context(work.begin(job))(networks)
        except _NotLoadedError as error:
            raise error.reason from None
        except Exception as error:
            error.add_note(f"{DOING}working on {job.source}")
            failed(error)


class _NotLoadedError(Exception):
    """The networks cannot be loaded, for this reason."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _check_keypoints(jobs: Sequence[Job], options: DetectOptions) -> None:
    if options.keypoints is not None:
        from ..keypoint_import.match_video import check_several

        keypoints = Path(options.keypoints)
        check_several(keypoints, [job.source for job in jobs])
        for job in jobs:
            file = keypoints / job.table.name if keypoints.is_dir() else keypoints
            check_is_other(job.table, file, "file of keypoints")


def place_demo(job: Job, *, overwrite: bool) -> None:
    """Copy the sample clip to the job's source; it is fetched first if needed.

    Raises:
        OutputError: Another file, or a result, is there and may not be replaced.
        AssetError: The clip cannot be fetched.
    """
    if all(path.exists() for path in job.results):
        check_free(job.results, overwrite=overwrite)
    clip = assets.fetch("demo.mp4", report=say)
    if job.source.is_file() and file_digest(job.source) == file_digest(clip):
        return
    check_free([job.source], overwrite=overwrite)
    with replacing(job.source) as target:
        shutil.copyfile(clip, target)
