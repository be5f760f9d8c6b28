"""Write the page of a pose table: 3D to turn, video, time line and curves in one HTML file."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...errors import UsageError
from ...files import replacing
from ...lifting.pose_table import PoseTable
from ...render.page import PageVideo, Shown, build_document, page_data, shown_part
from ..inference.redraw import note_other_video, video_beside
from ..output_lock import output_lock
from ..paths import PAGE_SUFFIX, Job, base_name, check_free, check_is_other, is_table
from ..picture_files import is_sequence
from ..progress import Progress, Report, no_progress, no_report, progress_bar, say
from ..table_files import check_has_poses, load_table
from ..video.source import check_source
from ..web.three import three_library
from .video_copy import small_copy

_PAGES = (PAGE_SUFFIX, ".htm")


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """How a page is made.

    Attributes:
        video: The table's video; None for the one that the table names, if it lies beside it.
        use_video: Whether the page shows the video.
        embed: Megabytes of video inside the page, at most. With a longer video, and with 0, the page links to
            the file.

    Raises:
        UsageError: The options contradict each other.
    """

    video: Path | None = None
    use_video: bool = True
    embed: float = 20.0

    def __post_init__(self) -> None:
        if self.video is not None and not self.use_video:
            raise UsageError("give --video or --no-video, not both")
        if not 0 <= self.embed <= 500:
            raise UsageError(f"--embed takes megabytes from 0 to 500, found {self.embed:g}")


def view(
    source: Path,
    output: Path | None = None,
    options: ViewOptions | None = None,
    *,
    overwrite: bool = False,
    command: str = "",
    progress: Progress = progress_bar,
) -> Path:
    """Write the page of a pose table.

    Args:
        source: The pose table.
        output: File to write; None for the table's name with the suffix .html.
        options: How the page is made.
        overwrite: Replace a page that exists.
        command: The command line, which another run on the same page shows.
        progress: How progress is shown.

    Returns:
        The page.

    Raises:
        UsageError: The output is not named as a page, or is the table or the video itself.
        InputError: The table cannot be read, or has no poses.
        OutputError: The page exists and may not be replaced, or cannot be written.
        AssetError: three.js cannot be fetched.
    """
    options = options or ViewOptions()
    output = output or source.with_name(base_name(source) + PAGE_SUFFIX)
    check_is_other(output, source, "table")
    check_is_other(output, options.video)
    if output.suffix.lower() not in _PAGES:
        raise UsageError(f"--output of view takes a file that ends in {PAGE_SUFFIX}, found {output}")
    table = load_table(source, infer_options="--view")
    check_has_poses(source, table)
    if options.video is not None and not is_sequence(options.video):
        check_source(options.video)
    check_free([output], overwrite=overwrite, elsewhere="--output FILE")
    with output_lock([output], command):
        check_free([output], overwrite=overwrite, elsewhere="--output FILE")
        if options.use_video and options.video is None:
            video = video_beside(source, table)
            options = replace(options, video=video, use_video=video is not None)
        elif options.video is not None:
            note_other_video(options.video, table)
        write_page(table, output, options, title=base_name(source), progress=progress, report=say)
    say(f"→ {output}")
    return output


def write_page(
    table: PoseTable,
    output: Path,
    options: ViewOptions,
    *,
    title: str | None = None,
    progress: Progress = no_progress,
    report: Report = no_report,
) -> None:
    """Write the page of a pose table; a file that exists is replaced.

    Args:
        table: The table.
        output: File to write.
        options: How the page is made. Without `video`, it shows none.
        title: The heading; None for the page's name.
        progress: How progress is shown.
        report: Called with each line that the user should know.

    Raises:
        UsageError: The page would replace the video.
        InputError: The table has no poses, or the video cannot be read.
        OutputError: The page cannot be written.
        AssetError: three.js cannot be fetched.
    """
    check_is_other(output, options.video)
    part = shown_part(table)
    note = "" if part.every == 1 else f"This motion is long: one frame in {part.every} is shown."
    data = page_data([Shown(part)], note=note)
    if note:
        report(f"note: the page shows one frame in {part.every}, because the motion is long")
    library = three_library(report)
    copy = add_video(data, output, table, options, _span(table), progress=progress, report=report)
    document = build_document(title=title or base_name(output), data=data, library=library, video=copy)
    with replacing(output) as partial:
        partial.write_text(document, encoding="utf-8")


def add_video(
    data: dict[str, Any],
    page: Path,
    table: PoseTable,
    options: ViewOptions,
    span: tuple[int, int],
    *,
    progress: Progress = no_progress,
    report: Report = no_report,
) -> bytes | None:
    """Describe the video in a page's data, and return the copy that goes into the page, if it fits.

    Args:
        data: From `page_data`; it is changed.
        page: The page, for links that are relative to it.
        table: The table of the video.
        options: How the page is made, and its video.
        span: The first and the last frame that the page shows.
        progress: How progress is shown.
        report: Called with a line if the page links to the video, or cannot show it.
    """
    video = options.video
    if video is None:
        return None
    copy = small_copy(video, table, span, limit=options.embed, progress=progress)
    if copy is None and (table.meta.get("video") or {}).get("rotate"):
        report(
            f"note: the page is without {video}: it is turned by --rotate, which a link does not show, and a "
            f"copy is too large for --embed {options.embed:g}"
        )
        return None
    data["video"] = vars(_page_video(video, page, copy, float(table.time[span[0]])))
    if copy is None:
        report(f"note: the page links to {video}, because a copy is too large for --embed {options.embed:g}")
    return copy


def _span(table: PoseTable) -> tuple[int, int]:
    return int(table.frame.min()), int(table.frame.max())


def _page_video(video: Path, page: Path, copy: bytes | None, start: float) -> PageVideo:
    """Return how the page finds its video: inside it, or by a path relative to the page."""
    if copy is not None:
        return PageVideo(video.name, "", 0.0)
    try:
        link = Path(os.path.relpath(video.absolute(), page.absolute().parent)).as_posix()
    except ValueError:  # on another drive of Windows
        return PageVideo(video.name, video.absolute().as_uri(), start)
    return PageVideo(video.name, quote(os.fsencode(link)), start)


def finish_with_page(jobs: Sequence[Job], *, overwrite: bool, command: str) -> Callable[[Job], None]:
    """Return what `infer --view` does with a finished job: write its page, and open it if it is alone."""

    def finish(job: Job) -> None:
        options = ViewOptions(video=_source_video(job))
        page = view(job.table, job.page, options, overwrite=overwrite, command=command)
        if len(jobs) == 1:
            open_page(page)

    return finish


def _source_video(job: Job) -> Path | None:
    """Return the job's source if it is a video; None if it is a table, beside which the video is sought."""
    return None if is_table(job.source) else job.source


def open_page(page: Path) -> None:
    """Open a page in the user's browser; print a note if there is none."""
    try:
        opened = webbrowser.open(page.absolute().as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        say(f"note: no browser could be started; open {page} in one")
