"""The command `compare`."""

from __future__ import annotations

from pathlib import Path

import click

from .command import FilePath, command, under
from .options import OVERWRITE_OPTION
from .render import parse_size


@command(
    examples=(
        "videopose compare default/video.npz causal/video.npz --labels default,causal",
        "videopose compare a.npz b.npz --output comparison.html",
        "videopose compare walk.npz --truth mocap.npz:35_01 --truth-start 1.2",
    )
)
@click.argument("tables", nargs=-1, required=True, type=FilePath(), metavar="TABLE…")
@under(
    "Input",
    click.option("--labels", metavar="A,B,…", help="What the tables are called.  [default: their names]"),
    click.option(
        "--truth",
        metavar="FILE:NAME",
        help="True motion: a clip of a motion-capture table (`videopose prepare cmu`), or SUBJECT/ACTION of "
        "data_3d_h36m.npz.",
    ),
    click.option(
        "--truth-start",
        type=float,
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="The truth's time at the video's first frame.",
    ),
    click.option(
        "--video",
        type=FilePath(),
        metavar="FILE",
        help="The tables' video.  [default: the one of its name beside the first table]",
    ),
    click.option("--no-video", is_flag=True, help="Show the 3D only."),
)
@under(
    "Picture",
    click.option(
        "--view",
        default="turned",
        show_default=True,
        metavar="NAME|AZIMUTH,ELEVATION",
        help="Direction of the animation's 3D panels; see `videopose render`.",
    ),
    click.option(
        "--size",
        default="1200x600",
        show_default=True,
        callback=parse_size,
        metavar="WIDTHxHEIGHT",
        help="Size of the animation in pixels.",
    ),
    click.option("--fps", type=float, metavar="RATE", help="Frames a second of the animation, up to 60."),
)
@under(
    "Output",
    click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FILE",
        help="An animation (.mp4, .webm, .gif …), or a page (.html).  [default: TABLE.compare.mp4 and .html]",
    ),
)
@OVERWRITE_OPTION
@click.pass_context
def compare(
    context: click.Context,
    /,
    tables: tuple[Path, ...],
    labels: str | None,
    truth: str | None,
    truth_start: float,
    video: Path | None,
    no_video: bool,
    view: str,
    size: tuple[int, int],
    fps: float | None,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Show several motions of one video side by side.

    The tables are results of one video by several lifters or options. With --truth, the true motion stands
    beside them, turned and moved to where the main person is, and each table's error is in its heading
    (P-MPJPE, in millimetres).
    """
    from ...render.views import parse_view
    from ..comparison.compare import CompareOptions
    from ..comparison.compare import compare as write
    from ..pages.view import ViewOptions

    options = CompareOptions(
        labels=tuple(label.strip() for label in labels.split(",")) if labels else (),
        truth=truth,
        truth_start=truth_start,
        view=parse_view(view),
        size=size,
        fps=fps,
        page=ViewOptions(video=video, use_video=not no_video),
    )
    write(tables, output, options, overwrite=overwrite, command=context.obj)
