"""The command `view`."""

from __future__ import annotations

from pathlib import Path

import click

from .command import FilePath, command, under
from .options import OVERWRITE_OPTION


@command(
    examples=(
        "videopose view video.npz --open",
        "videopose view video.npz --video moved/video.mp4 --output page.html",
        "videopose view video.npz --embed 0  # link to the video; do not put a copy into the page",
    )
)
@click.argument("table", type=FilePath())
@under(
    "Input",
    click.option(
        "--video",
        type=FilePath(),
        metavar="FILE",
        help="The table's video.  [default: the one of its name beside the table]",
    ),
    click.option("--no-video", is_flag=True, help="Show the 3D only."),
)
@under(
    "Output",
    click.option("-o", "--output", type=FilePath(), metavar="FILE", help="[default: TABLE.html]"),
    click.option(
        "--embed",
        type=float,
        default=20.0,
        show_default=True,
        metavar="MB",
        help="Put a small copy of the video of at most this size into the page. If it does not fit, the page "
        "links to the file.",
    ),
    click.option("--open", "open_it", is_flag=True, help="Open the page in the browser."),
)
@OVERWRITE_OPTION
@click.pass_context
def view(
    context: click.Context,
    /,
    table: Path,
    video: Path | None,
    no_video: bool,
    output: Path | None,
    embed: float,
    open_it: bool,
    overwrite: bool,
) -> None:
    """Write a page to look at a pose table in the browser.

    It is one file that needs no network: the people in 3D to turn and zoom, the video beside them, a time
    line, and curves of joint angles. A page of a long motion shows fewer frames, and says so.
    """
    from ..pages.view import ViewOptions, open_page
    from ..pages.view import view as write_page

    options = ViewOptions(video=video, use_video=not no_video, embed=embed)
    page = write_page(table, output, options, overwrite=overwrite, command=context.obj)
    if open_it:
        open_page(page)
