"""The command `render`."""

from __future__ import annotations

from pathlib import Path

import click

from .command import FilePath, command, under
from .options import OVERWRITE_OPTION


def parse_size(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return the width and the height that WIDTHxHEIGHT names; None if the option is not given."""
    if value is None:
        return None
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter("give WIDTHxHEIGHT in pixels, such as 1200x600")
    return int(width), int(height)


@command(
    examples=(
        "videopose render video.npz --view side --view top --output video.gif",
        "videopose render video.npz --sheet 12 --output sheet.png",
        "videopose render video.npz --no-video --view 70,15 --size 800x800 --fps 30 --overwrite",
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
    click.option("--no-video", is_flag=True, help="Draw the 3D panels only."),
)
@under(
    "Picture",
    click.option(
        "--view",
        "views",
        multiple=True,
        metavar="NAME|AZIMUTH,ELEVATION",
        help="A 3D panel: camera, turned, side, back, top, or degrees such as 70,15. Up to four times.  "
        "[default: camera and turned]",
    ),
    click.option(
        "--size",
        callback=parse_size,
        metavar="WIDTHxHEIGHT",
        help="Size in pixels; of a sheet, the size of each frame.  [default: 1200x600; of a sheet: 800x400]",
    ),
    click.option(
        "--fps",
        type=float,
        metavar="RATE",
        help="Frames a second, up to 60.  [default: the video's own, up to 60; of a .gif up to 15]",
    ),
    click.option(
        "--at",
        type=float,
        metavar="SECONDS",
        help="Draw one frame, as a .png file.  [default for .png: the middle]",
    ),
    click.option(
        "--sheet", type=int, metavar="N", help="Draw N frames, evenly spaced, on one sheet, as a .png file."
    ),
)
@under(
    "Output",
    click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FILE",
        help="A .mp4, .mov, .mkv, .webm, .gif or .png file.  [default: TABLE.3d.mp4, or .png]",
    ),
)
@OVERWRITE_OPTION
@click.pass_context
def render(
    context: click.Context,
    /,
    table: Path,
    output: Path | None,
    views: tuple[str, ...],
    size: tuple[int, int] | None,
    fps: float | None,
    at: float | None,
    sheet: int | None,
    video: Path | None,
    no_video: bool,
    overwrite: bool,
) -> None:
    """Draw an animation of a pose table, a still, or a sheet of stills.

    It shows the video with its keypoints beside the people in 3D. A table without poses, as `videopose
    detect` writes it, gives the video with its keypoints.
    """
    from ...render.views import DEFAULT_VIEWS, parse_view
    from ..inference.redraw import DrawOptions, redraw

    chosen = tuple(parse_view(view) for view in views) or DEFAULT_VIEWS
    options = DrawOptions(
        views=chosen, size=size, fps=fps, at=at, sheet=sheet, video=video, use_video=not no_video
    )
    redraw(table, output, options, overwrite=overwrite, command=context.obj)
