"""Write several motions of one video side by side: as an animation, and as a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import UsageError
from ...files import replacing
from ...lifting.pose_table import PoseTable
from ...render.animation import MAXIMUM_VIEWS
from ...render.comparison import Comparison
from ...render.page import Shown, build_document, page_data, shown_part
from ...render.views import NAMED_VIEWS, View
from ..inference.animate import write_animation
from ..inference.redraw import video_beside
from ..output_lock import output_lock
from ..pages.view import ViewOptions, add_video
from ..paths import PAGE_SUFFIX, base_name, check_free, check_is_other
from ..progress import Progress, Report, no_progress, no_report, progress_bar, say
from ..table_files import check_has_poses, load_table
from ..web.three import three_library
from .align import error_of, on_same_frames, truth_table
from .truth import load_truth

_SUFFIXES = (".compare.mp4", ".compare.html")
_TRUTH = "truth"


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is compared, and how it is shown.

    Attributes:
        labels: What the tables are called; empty for their names.
        truth: `FILE:NAME` of true motion; see `load_truth`. None for none.
        truth_start: The truth's time in seconds at the video's first frame.
        view: The direction of the animation's 3D panels.
        size: Width and height of the animation in pixels.
        fps: Frames a second of the animation; None for the video's own.
        page: How the page is made, and which video is shown.
    """

    labels: tuple[str, ...] = ()
    truth: str | None = None
    truth_start: float = 0.0
    view: View = NAMED_VIEWS["turned"]
    size: tuple[int, int] = (1200, 600)
    fps: float | None = None
    page: ViewOptions = field(default_factory=ViewOptions)

    def check_number(self, tables: int) -> None:
        """Raise `UsageError` if so many tables cannot be compared, or have other labels."""
        most = MAXIMUM_VIEWS - (self.truth is not None)
        if not 1 <= tables <= most or tables + (self.truth is not None) < 2:
            found = f"{tables} table" + "s" * (tables != 1)
            raise UsageError(f"expected 2 to {MAXIMUM_VIEWS} motions, the truth included, found {found}")
        if self.labels and len(self.labels) != tables:
            raise UsageError(f"--labels: expected {tables} names, found {len(self.labels)}")


def compare(
    sources: Sequence[Path],
    output: Path | None,
    options: CompareOptions,
    *,
    overwrite: bool,
    command: str = "",
) -> list[Path]:
    """Write pose tables of one video side by side.

    Args:
        sources: The pose tables.
        output: File to write: an animation, or a page (.html); None for both, named after the first table.
        options: What is compared.
        overwrite: Replace results that exist.
        command: The command line, which another run on the same files shows.

    Returns:
        The files written.

    Raises:
        InputError: A file cannot be read, or a table has no poses.
        UsageError: The tables are not of one video, or options contradict each other.
        OutputError: A result exists and may not be replaced, or cannot be written.
    """
    options.check_number(len(sources))
    results = [output] if output else [sources[0].with_name(base_name(sources[0]) + s) for s in _SUFFIXES]
    tables = [load_table(source) for source in sources]
    check_free(results, overwrite=overwrite, elsewhere="--output FILE")
    _check_one_video(sources, tables)
    page = options.page
    if page.use_video and page.video is None:
        video = video_beside(sources[0], tables[0])
        options = replace(options, page=replace(page, video=video, use_video=video is not None))
    with output_lock(results, command):
        check_free(results, overwrite=overwrite, elsewhere="--output FILE")
        write_comparison(tables, sources, results, options, progress=progress_bar, report=say)
    return results


def write_comparison(
    tables: Sequence[PoseTable],
    sources: Sequence[Path],
    outputs: Sequence[Path],
    options: CompareOptions,
    *,
    progress: Progress = no_progress,
    report: Report = no_report,
) -> None:
    """Write motions of one video side by side; files that exist are replaced.

    Args:
        tables: The motions.
        sources: Their files, for labels and messages.
        outputs: Files to write: animations, or pages (.html).
        options: What is compared. Without `page.video`, no video is shown.
        progress: How progress is shown.
        report: Called with each line that the user should know.

    Raises:
        InputError: The truth or the video cannot be read, or a table has no poses.
        UsageError: The tables are not of one video, options contradict each other, or an output is the video.
        OutputError: A file cannot be written.
    """
    options.check_number(len(tables))
    for output in outputs:
        check_is_other(output, options.page.video)
    _check_one_video(sources, tables)
    shown, labels = _labeled(tables, sources, options)
    for output in outputs:
        if output.suffix.lower() == PAGE_SUFFIX:
            _write_page(output, shown, labels, options.page, progress, report)
        else:
            _write_animation(output, shown, labels, options, progress)
        report(f"→ {output}")


def _labeled(
    tables: Sequence[PoseTable], sources: Sequence[Path], options: CompareOptions
) -> tuple[list[PoseTable], list[str]]:
    """Return the motions that are shown, the truth among them if there is one, and what they are called."""
    shown, labels = list(tables), list(options.labels or _names(sources))
    if options.truth is None:
        return shown, labels
    truth = truth_table(load_truth(options.truth), tables[0], options.truth_start)
    labels = [_with_error(label, error_of(table, truth)) for label, table in zip(labels, tables, strict=True)]
    return [*shown, truth], [*labels, _TRUTH]


def _write_animation(
    path: Path,
    tables: Sequence[PoseTable],
    labels: Sequence[str],
    options: CompareOptions,
    progress: Progress,
) -> None:
    video = options.page.video
    drawing = Comparison(tables, labels, size=options.size, view=options.view, video=video is not None)
    write_animation(drawing, tables, path, video=video, size=options.size, fps=options.fps, progress=progress)


def _write_page(
    path: Path,
    tables: Sequence[PoseTable],
    labels: Sequence[str],
    options: ViewOptions,
    progress: Progress,
    report: Report,
) -> None:
    filled = [table for table in tables if len(table)]
    span = (
        min(int(table.frame.min()) for table in filled),
        max(int(table.frame.max()) for table in filled),
    )
    parts = [shown_part(table, span=span) for table in tables]
    shown = [
        Shown(part, label, has_camera=index == 0, keypoints=index == 0)
        for index, (part, label) in enumerate(zip(parts, labels, strict=True))
    ]
    data = page_data(shown)
    library = three_library(report)
    copy = add_video(data, path, tables[0], options, span, progress=progress, report=report)
    title = " · ".join(labels)
    document = build_document(title=title, data=data, library=library, video=copy)
    with replacing(path) as partial:
        partial.write_text(document, encoding="utf-8")


def _check_one_video(sources: Sequence[Path], tables: Sequence[PoseTable]) -> None:
    for source, table in zip(sources, tables, strict=True):
        check_has_poses(source, table)
        if not on_same_frames(tables[0], table):
            first, second = (
                f"{file} with {len(each.time)} frames of {each.size[0]}×{each.size[1]} pixels"
                for file, each in ((sources[0], tables[0]), (source, table))
            )
            raise UsageError(f"expected pose tables of one video, found {first} and {second}")


def _names(sources: Sequence[Path]) -> list[str]:
    """Return the tables' names; with their folders if they are the same."""
    names = [base_name(source) for source in sources]
    if len(set(names)) == len(names):
        return names
    return [f"{source.absolute().parent.name}/{name}" for source, name in zip(sources, names, strict=True)]


def _with_error(label: str, error: float) -> str:
    return label if math.isnan(error) else f"{label} · {error:.0f} mm P-MPJPE"
