"""The functions that show motion: `render`, `view`, `compare`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...errors import UsageError, shown
from ...lifting.pose_table import PoseTable
from ...render.views import View, parse_view
from ..inference.animate import animate, draw_sheet, draw_still
from ..inference.redraw import DrawOptions
from ..option_types import as_number, as_path, check_type
from ..paths import STILL_SUFFIX, check_is_other
from .arguments import (
    AnyPath,
    as_optional_path,
    as_size,
    as_table,
    as_texts,
)


def render(
    table: PoseTable | AnyPath,
    output: AnyPath,
    *,
    video: AnyPath | None = None,
    views: Sequence[str] = ("camera", "turned"),
    size: tuple[int, int] = (1200, 600),
    fps: float | None = None,
    at: float | None = None,
    sheet: int | None = None,
) -> None:
    """Draw the animation of a pose table and write it to a file, as the command `videopose render` does.

    A file that exists is replaced. Nothing is printed.

    Args:
        table: A pose table, or the path of one.
        output: File to write: .mp4, .mov, .mkv, .webm or .gif; .png for a still or a sheet.
        video: The file that the table was made from, to show it beside the motion; None shows the motion
            only.
        views: Directions of the 3D panels, up to four: "camera", "turned", "side", "back", "top", or azimuth
            and elevation in degrees such as "70,15".
        size: Width and height in pixels; of a sheet, those of each frame.
        fps: Frames a second of an animation, up to 60. Default: the video's own, of a .gif up to 15.
        at: Of a still: its time in seconds. Default: the middle.
        sheet: Of a sheet: the number of frames on it. Default: no sheet.

    Raises:
        UsageError: An option has the wrong type or is impossible, or `output` is the video itself.
        InputError: The table or the video cannot be read, or the video has another size than the table's.
        OutputError: The file cannot be written.

    Example:
        ```python
        import videopose

        videopose.render("clip.npz", "clip.gif", video="clip.mp4", views=["camera", "top"])
        ```
    """
    output = as_path("output", output)
    video = None if video is None else as_path("video", video)
    size = as_size(size)
    chosen: list[View] = [parse_view(view) for view in as_texts("views", views, example="camera")]
    fps, at = (as_number(name, value, float, optional=True) for name, value in (("fps", fps), ("at", at)))
    sheet = as_number("sheet", sheet, int, optional=True)
    source, target = None if video is None else Path(video), Path(output)
    check_is_other(target, source)
    DrawOptions(fps=fps, at=at, sheet=sheet).check_output(target)
    if sheet is not None:
        draw_sheet(as_table(table), target, count=sheet, video=source, views=chosen, size=size)
    elif target.suffix.lower() == STILL_SUFFIX:
        draw_still(as_table(table), target, at=at, video=source, views=chosen, size=size)
    else:
        animate(as_table(table), target, video=source, views=chosen, size=size, fps=fps)


def view(
    table: PoseTable | AnyPath, output: AnyPath, *, video: AnyPath | None = None, embed: float = 20.0
) -> None:
    """Write a page to look at a pose table in the browser, as the command `videopose view` does.

    A file that exists is replaced. Nothing is printed; three.js is fetched on first use.

    Args:
        table: A pose table, or the path of one.
        output: File to write, such as "clip.html".
        video: The file that the table was made from, to show it beside the motion; None shows the motion
            only.
        embed: Megabytes of video inside the page, at most. With a longer video, and with 0, the page links to
            the file.

    Raises:
        UsageError: An option has the wrong type or is impossible, or `output` is the video or the table
            itself.
        InputError: The table or the video cannot be read, or the table has no poses.
        OutputError: The file cannot be written.
        AssetError: three.js cannot be fetched.

    Example:
        ```python
        import videopose

        videopose.view("clip.npz", "clip.html", video="clip.mp4")
        ```
    """
    from ..pages.view import ViewOptions, write_page

    target, source = Path(as_path("output", output)), as_optional_path("video", video)
    options = ViewOptions(video=source, use_video=source is not None, embed=as_number("embed", embed, float))
    if not isinstance(table, PoseTable):
        check_is_other(target, Path(as_path("table", table)), "table")
    write_page(as_table(table), target, options)


def compare(
    tables: Sequence[PoseTable | AnyPath],
    output: AnyPath,
    *,
    labels: Sequence[str] = (),
    truth: str | None = None,
    truth_start: float = 0.0,
    video: AnyPath | None = None,
    view: str = "turned",
    size: tuple[int, int] = (1200, 600),
    fps: float | None = None,
) -> None:
    """Write several motions of one video side by side, as the command `videopose compare` does.

    A file that exists is replaced. Nothing is printed.

    Args:
        tables: Pose tables of one video, or their paths: up to four motions, the truth included.
        output: File to write: .mp4, .mov, .mkv, .webm or .gif; .html for a page.
        labels: What the tables are called. Default: the names of their files, else their numbers from 1.
        truth: True motion, as "FILE:NAME": a clip of a motion-capture table, or SUBJECT/ACTION of Human3.6M's
            data_3d_h36m.npz.
        truth_start: The truth's time in seconds at the video's first frame.
        video: The file that the tables were made from; None shows the motions only.
        view: Direction of the animation's 3D panels, as for `render`.
        size: Width and height of the animation in pixels.
        fps: Frames a second of the animation, up to 60. Default: the video's own.

    Raises:
        UsageError: An option has the wrong type or is impossible, the tables are not of one video, or
            `output` is the video itself.
        InputError: A table, the truth or the video cannot be read, or a table has no poses.
        OutputError: The file cannot be written.
        AssetError: three.js, which a page needs, cannot be fetched.

    Example:
        ```python
        import videopose

        table = videopose.PoseTable.load("clip.npz")
        causal = videopose.lift(table, lifter="causal")
        videopose.compare([table, causal], "clip.compare.mp4", labels=["default", "causal"])
        ```
    """
    from ..comparison.compare import CompareOptions, write_comparison
    from ..pages.view import ViewOptions

    if isinstance(tables, PoseTable | str | bytes | os.PathLike) or not isinstance(tables, Iterable):
        raise UsageError(f"tables: expected a list of pose tables or paths, found {shown(tables)}")
    check_type("truth", truth, str, optional=True)
    check_type("view", view, str)
    listed = list(tables)
    target, source = Path(as_path("output", output)), as_optional_path("video", video)
    options = CompareOptions(
        labels=as_texts("labels", labels),
        truth=truth,
        truth_start=as_number("truth_start", truth_start, float),
        view=parse_view(view),
        size=as_size(size),
        fps=as_number("fps", fps, float, optional=True),
        page=ViewOptions(video=source, use_video=source is not None),
    )
    names = [
        str(number) if isinstance(each, PoseTable) else as_path("tables", each)
        for number, each in enumerate(listed, 1)
    ]
    options.check_number(len(listed))
    write_comparison([as_table(each) for each in listed], [Path(name) for name in names], [target], options)
