"""The command `render`."""

from __future__ import annotations

from pathlib import Path

import click


def _size(context: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter("give WIDTHxHEIGHT in pixels, such as 1200x600")
    return int(width), int(height)


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write: .mp4, .mov, .mkv or .gif.  [default: TABLE.3d.mp4]",
)
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME|AZIMUTH,ELEVATION",
    help="A 3D panel: camera, turned, side, back, top, or degrees such as 70,15. Give it up to four times.  "
    "[default: camera and turned]",
)
@click.option("--size", default="1200x600", show_default=True, callback=_size, help="Picture size in pixels.")
@click.option(
    "--video",
    type=click.Path(path_type=Path),
    help="The video the table was made from.  [default: the one of that name beside the table]",
)
@click.option("--no-video", is_flag=True, help="Draw the 3D panels only.")
@click.option("--overwrite", is_flag=True, help="Replace a result that exists.")
def render(
    table: Path,
    output: Path | None,
    views: tuple[str, ...],
    size: tuple[int, int],
    video: Path | None,
    no_video: bool,
    overwrite: bool,
) -> None:
    """Draw an animation from a pose table."""
    from ...render.views import DEFAULT_VIEWS, parse_view
    from ..inference.run_files import redraw

    chosen = [parse_view(view) for view in views] or DEFAULT_VIEWS
    redraw(table, output, views=chosen, size=size, video=video, use_video=not no_video, overwrite=overwrite)
