"""Process files one after another: from videos and pose tables to pose tables and animations."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...detectors.people import Detector
from ...files import file_digest, replacing
from ...lifting.pose_table import PoseTable
from ..camera_metadata.notes import camera_notes
from ..downloads import assets
from ..paths import TABLE_SUFFIX, Job, base_name, check_free
from ..picture_files import is_sequence
from ..progress import progress_bar, say
from ..video.damage import damage_warning
from ..video.decoder import DEFAULT_RATE
from ..video.reader import Video, open_video
from ..video.source import check_source
from .adapt import adapt_to
from .detect import detect, load_detector
from .infer import Networks, infer
from .lift import lift, load_video_lifter
from .options import DetectOptions, InferOptions, LiftOptions
from .redraw import video_beside
from .selection import Selection, select_people
from .time_notes import time_notes

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter
    from ..exports.export_tables import ExportOptions

Source = TypeVar("Source")
Loaded = TypeVar("Loaded")
ReportError = Callable[[Exception], None]
"""What is called for each job that failed."""
Finish = Callable[[Job], None]
"""What is called for each job whose results are written."""

_STEPS = partial(progress_bar, unit="steps/s")


def infer_videos(
    jobs: Sequence[Job],
    options: InferOptions,
    *,
    overwrite: bool,
    command: str,
    failed: ReportError,
    export: ExportOptions | None = None,
    finish: Finish | None = None,
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

    Raises:
        VideoposeError: The networks cannot be loaded, or several videos would share one video's keypoints.
    """

    def process(job: Job, video: Video, networks: Networks) -> PoseTable:
        table = infer(
            video, options, networks, progress=progress_bar, steps=_STEPS, report=say, command=command
        )
        _write_results(job, table, job.source)
        return table

    def find(job: Job, video: Video, networks: Networks) -> PoseTable:
        return detect(video, options, networks.detector, progress=progress_bar, command=command)

    def write(job: Job, found: PoseTable, lifter: Lifter) -> PoseTable:
        table = lift(found, options, lifter, progress=progress_bar)
        _write_results(job, table, job.source)
        return table

    _check_keypoints(jobs, options)
    load = cache(partial(Networks.load, options, report=say))
    open_source = partial(_open_video, options.fps)
    if options.adapt == "together" and len(jobs) > 1:
        found = _find_all(jobs, open_source, load, find, overwrite, failed, export)
        _lift_all(found, options, lambda: load().lifter, write, overwrite, failed, export, finish)
    else:
        _run_jobs(jobs, open_source, load, process, overwrite, failed, export, finish)


def detect_videos(
    jobs: Sequence[Job], options: DetectOptions, *, overwrite: bool, command: str, failed: ReportError
) -> None:
    """Make pose tables without poses of videos. See `infer_videos` for arguments and errors."""

    def process(job: Job, video: Video, detector: Detector | None) -> PoseTable:
        table = detect(video, options, detector, progress=progress_bar, command=command)
        _write_results(job, table, None)
        return table

    _check_keypoints(jobs, options)
    _run_jobs(
        jobs,
        partial(_open_video, options.fps),
        partial(load_detector, options, report=say),
        process,
        overwrite,
        failed,
    )


def lift_tables(
    jobs: Sequence[Job],
    options: LiftOptions,
    *,
    overwrite: bool,
    command: str,
    failed: ReportError,
    export: ExportOptions | None = None,
    finish: Finish | None = None,
) -> None:
    """Lift pose tables, and make animations. See `infer_videos` for the arguments."""

    def process(job: Job, table: PoseTable, lifter: Lifter) -> PoseTable:
        chosen = find(job, table, lifter)
        if options.adapt is not None:
            name = str(job.source)
            lifter = adapt_to({name: chosen}, options, lifter, progress=_STEPS, report=say)
        return write(job, chosen, lifter)

    def find(job: Job, table: PoseTable, lifter: Lifter) -> PoseTable:
        return select_people(table, Selection(None, options.select, options.select_at))

    def write(job: Job, chosen: PoseTable, lifter: Lifter) -> PoseTable:
        lifted = lift(chosen, options, lifter, progress=progress_bar, command=command)
        _write_results(job, lifted, video_beside(job.source, chosen) if job.animation else None)
        return lifted

    load = cache(partial(load_video_lifter, options))
    if options.adapt == "together" and len(jobs) > 1:
        found = _find_all(jobs, _open_table, load, find, overwrite, failed, export)
        _lift_all(found, options, load, write, overwrite, failed, export, finish)
    else:
        _run_jobs(jobs, _open_table, load, process, overwrite, failed, export, finish)


def _find_all(
    jobs: Sequence[Job],
    open_source: Callable[[Job], AbstractContextManager[Source]],
    load_networks: Callable[[], Loaded],
    find: Callable[[Job, Source, Loaded], PoseTable],
    overwrite: bool,
    failed: ReportError,
    export: ExportOptions | None,
) -> dict[Job, PoseTable]:
    """Find the people of each job, before any is lifted. Jobs that failed are left out."""
    found: dict[Job, PoseTable] = {}

    def process(job: Job, source: Source, networks: Loaded) -> PoseTable:
        found[job] = find(job, source, networks)
        return found[job]

    _run_jobs(jobs, open_source, load_networks, process, overwrite, failed, export, exporting=False)
    return found


def _lift_all(
    found: Mapping[Job, PoseTable],
    options: LiftOptions,
    load_lifter: Callable[[], Lifter],
    write: Callable[[Job, PoseTable, Lifter], PoseTable],
    overwrite: bool,
    failed: ReportError,
    export: ExportOptions | None,
    finish: Finish | None,
) -> None:
    """Adapt the lifter to the people of all jobs together, and lift each job."""
    if not found:
        return
    tables = {str(job.source): table for job, table in found.items()}
    lifter = adapt_to(tables, options, load_lifter(), progress=_STEPS, report=say)

    def found_before(job: Job) -> AbstractContextManager[PoseTable]:
        return nullcontext(found[job])

    _run_jobs(list(found), found_before, lambda: lifter, write, overwrite, failed, export, finish)


def _open_video(fps: float | None, job: Job) -> AbstractContextManager[Video]:
    if fps is None and is_sequence(job.source):
        say(f"note: {job.source}: pictures are taken as {DEFAULT_RATE:g} a second; --fps would tell")
    return open_video(job.source, fps=fps)


def _open_table(job: Job) -> AbstractContextManager[PoseTable]:
    return nullcontext(PoseTable.load(job.source))


def _run_jobs(
    jobs: Sequence[Job],
    open_source: Callable[[Job], AbstractContextManager[Source]],
    load_networks: Callable[[], Loaded],
    process: Callable[[Job, Source, Loaded], PoseTable],
    overwrite: bool,
    failed: ReportError,
    export: ExportOptions | None = None,
    finish: Finish | None = None,
    *,
    exporting: bool = True,
) -> None:
    """Run each job, export its table and finish it; networks are loaded when the first source is open.

    Names of inputs and results are checked for all jobs before the first is done. Without `exporting`, it is
    only checked that the exports can be written.
    """
    networks: list[Loaded] = []
    for job in _checked(jobs, overwrite, failed, export):
        with ExitStack() as stack:
            try:
                source = stack.enter_context(open_source(job))
            except Exception as error:
                failed(error)
                continue
            networks = networks or [load_networks()]
            try:
                table = process(job, source, networks[0])
                if export is not None and exporting:
                    from ..exports.export_tables import export_table

                    export_table(table, job.table, export, overwrite=overwrite)
                if finish is not None:
                    finish(job)
            except Exception as error:
                failed(error)


def _checked(
    jobs: Sequence[Job], overwrite: bool, failed: ReportError, export: ExportOptions | None
) -> list[Job]:
    """Return the jobs whose input can be a video or table, and whose results can be written."""
    ready = []
    for job in jobs:
        try:
            check_free(job.results, overwrite=overwrite)
            if export is not None:
                from ..exports.export_tables import check_not_exported  # loads SciPy's filters

                check_not_exported(job.table, export, overwrite=overwrite)
            if job.source.suffix != TABLE_SUFFIX and not is_sequence(job.source):
                check_source(job.source)
        except Exception as error:
            failed(error)
        else:
            ready.append(job)
    return ready


def _check_keypoints(jobs: Sequence[Job], options: DetectOptions) -> None:
    if options.keypoints is not None:
        from ..keypoint_import.match_video import check_several

        check_several(Path(options.keypoints), [job.source for job in jobs])


def _write_results(job: Job, table: PoseTable, video: Path | None) -> None:
    """Write the results of a job, and print notes for the user. `video` is shown in the animation."""
    for note in camera_notes(
        _shown_name(job.source), str(table.meta.get("intrinsics")), table.intrinsics, table.size
    ):
        say(note)
    if (others := table.meta.get("others")) and job.source.suffix != TABLE_SUFFIX:
        were = "1 other person was" if others == 1 else f"{others} other people were"
        say(f"note: {were} seen; --people all keeps everyone, and `videopose people` shows whom to --select")
    if job.source.suffix != TABLE_SUFFIX:
        for note in (table.meta.get("detector") or {}).get("notes", ()):
            say(f"note: {job.source}: {note}")
    if damage := damage_warning(table.meta.get("damaged")):
        say(f"warning: {job.source}: {damage}")
    for note in time_notes(table):
        say(f"note: {job.source}: {note}")
    world = table.meta.get("world") or {}
    if str(world.get("gravity")).startswith("assumed"):
        say(
            "note: up is taken from the camera, because no person stands; "
            "--camera-pitch and --camera-roll would tell"
        )
    if uncertain := world.get("warning"):
        say(f"warning: {job.source}: {uncertain}")
    table.save(job.table)
    say(f"→ {job.table}")
    if job.animation is not None:
        from .animate import animate  # imported here, after the networks have run

        animate(table, job.animation, video=video, progress=progress_bar)
        say(f"→ {job.animation}")


def _shown_name(source: Path) -> str:
    """Return the name of an input; for pictures that of their sequence, with their suffix."""
    return base_name(source) + source.suffix if is_sequence(source) else source.name


def place_demo(job: Job, *, overwrite: bool) -> None:
    """Copy the sample clip to the job's source; it is fetched first if needed.

    Raises:
        OutputError: Another file, or a result, is there and may not be replaced.
        AssetError: The clip cannot be fetched.
    """
    check_free(job.results, overwrite=overwrite)
    clip = assets.fetch("demo.mp4", report=say)
    if job.source.is_file() and file_digest(job.source) == file_digest(clip):
        return
    check_free([job.source], overwrite=overwrite)
    with replacing(job.source) as target:
        shutil.copyfile(clip, target)
