"""Draw a pose table again: `videopose render`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UsageError
from ...lifting.pose_table import PoseTable
from ...render.views import DEFAULT_VIEWS, View
from ..output_lock import output_lock
from ..paths import ANIMATION_SUFFIX, OVERLAY_SUFFIX, STILL_SUFFIX, base_name, check_free, check_is_other
from ..picture_files import is_sequence
from ..progress import progress_bar, say
from ..table_files import load_table
from ..video.reader import video_digest
from .table_camera import filmed_as

_SHEET_SUFFIX = ".sheet.png"


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """What is drawn, and how.

    Attributes:
        views: Directions of the 3D panels.
        size: Width and height in pixels, of a sheet those of each frame; None for the usual size.
        fps: Frames a second of an animation; None for the video's own.
        at: Seconds of the one frame that is drawn; None for an animation, or the middle.
        sheet: Number of frames that are drawn on one sheet; None for no sheet.
        video: The table's video; None for the file that the table names, if it lies beside the table.
        use_video: Show the video.

    Raises:
        UsageError: Options contradict each other.
    """

    views: tuple[View, ...] = DEFAULT_VIEWS
    size: tuple[int, int] | None = None
    fps: float | None = None
    at: float | None = None
    sheet: int | None = None
    video: Path | None = None
    use_video: bool = True

    def __post_init__(self) -> None:
        if self.video is not None and not self.use_video:
            raise UsageError("give --video or --no-video, not both")
        given = [f"--{name}" for name in ("at", "sheet", "fps") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"expected one of {given[0]} and {given[1]}, found both")

    def check_output(self, output: Path) -> None:
        """Raise `UsageError` if these options do not go with a file of this name."""
        still = output.suffix.lower() == STILL_SUFFIX
        if not still and (self.at is not None or self.sheet is not None):
            name = "--at" if self.at is not None else "--sheet"
            raise UsageError(f"{name} draws a picture: expected --output FILE.png, found {output}")
        if still and self.fps is not None:
            raise UsageError(f"--fps is for an animation, and {output} is a picture")


def redraw(
    source: Path, output: Path | None, options: DrawOptions, *, overwrite: bool, command: str = ""
) -> None:
    """Draw a pose table. A table without poses gives the video with its keypoints.

    Args:
        source: The pose table.
        output: File to write; None for the usual name beside the table.
        options: What is drawn.
        overwrite: Replace a result that exists.
        command: The command line, which another run on the same file shows.

    Raises:
        OutputError: The result exists and may not be replaced.
        UsageError: The result would replace the video, or there is nothing to draw.
    """
    table = load_table(source)
    lifted = bool(np.isfinite(table.pose).any())
    output = output or source.with_name(base_name(source) + _usual_suffix(options, lifted))
    options.check_output(output)
    check_free([output], overwrite=overwrite, elsewhere="--output FILE")
    video = options.video
    if options.use_video and video is None:
        video = video_beside(source, table)
    elif video is not None:
        note_other_video(video, table)
    if not lifted:
        unlifted = f"{source} has no poses yet (`videopose lift` makes them)"
        if video is None:
            raise UsageError(f"{unlifted} and no video to draw its keypoints on; see --video")
        say(f"note: {unlifted}, so only the keypoints are drawn")
    check_is_other(output, video)
    with output_lock([output], command):
        check_free([output], overwrite=overwrite, elsewhere="--output FILE")
        _draw(table, output, video, options)
    say(f"→ {output}")


def _usual_suffix(options: DrawOptions, lifted: bool) -> str:
    if options.sheet is not None:
        return _SHEET_SUFFIX
    if options.at is not None:
        return STILL_SUFFIX
    return ANIMATION_SUFFIX if lifted else OVERLAY_SUFFIX


def _draw(table: PoseTable, output: Path, video: Path | None, options: DrawOptions) -> None:
    from .animate import animate, draw_sheet, draw_still  # these load OpenCV and SciPy

    if options.sheet is not None:
        draw_sheet(
            table,
            output,
            count=options.sheet,
            video=video,
            size=options.size or (800, 400),
            views=options.views,
            progress=progress_bar,
        )
        return
    size = options.size or (1200, 600)
    if output.suffix.lower() == STILL_SUFFIX:
        draw_still(table, output, at=options.at, video=video, size=size, views=options.views)
        return
    animate(
        table, output, video=video, size=size, views=options.views, fps=options.fps, progress=progress_bar
    )


def video_beside(source: Path, table: PoseTable) -> Path | None:
    """Return the table's video if it lies beside the table; else print a note."""
    video = find_video(source, table)
    if video is None:
        name = filmed_as(source, table).name if filmed_as(source, table) != source else "its video"
        say(f"note: {name} is not beside the table, so only the 3D is drawn; see --video")
    return video


def find_video(source: Path, table: PoseTable) -> Path | None:
    """Return the table's video if it lies beside the table; print a note if it is another of its name."""
    video = filmed_as(source, table)
    if video == source or not (video.is_file() or is_sequence(video)):
        return None
    note_other_video(video, table, "; see --video")
    return video


def note_other_video(video: Path, table: PoseTable, way_out: str = "") -> None:
    """Print a note, with a way out, if a video is not the one that the table was made from."""
    if not (video.is_file() or is_sequence(video)):
        return  # what is wrong with it is said when it is opened
    if video_digest(video) != (table.meta.get("video") or {}).get("sha256"):
        say(f"note: {video} is not the file that the table was made from{way_out}")
