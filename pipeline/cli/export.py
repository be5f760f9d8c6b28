"""The command `export`, and the options of exports that `infer` shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...lifting.exports import FORMATS
from .error_report import SOME_FAILED, complain
from .options import OUTPUT_OPTION, Option, people_number, with_options

if TYPE_CHECKING:
    from ..exports.export_tables import ExportOptions

_SUMMARIES = "; ".join(f"{each.name}: {each.summary}" for each in FORMATS.values())

EXPORT_OPTION: Option[Any] = click.option(
    "--export",
    "export",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    help=f"Export the motion, too, as `videopose export` would: {', '.join(FORMATS)}. Give it once a format.",
)

_STYLE_OPTIONS: tuple[Option[Any], ...] = (
    click.option(
        "--fps",
        type=float,
        metavar="RATE",
        help="Frames a second of the files; the motion is resampled.  [default: the video's own]",
    ),
    click.option(
        "--units", type=click.Choice(["m", "cm", "mm"]), help="Of lengths.  [default: the format's]"
    ),
    click.option(
        "--up", type=click.Choice(["y", "z"]), help="The axis that points up.  [default: the format's]"
    ),
    click.option(
        "--names",
        type=click.Choice(["plain", "mixamo", "cmu"]),
        default="plain",
        show_default=True,
        help="What joints are called in bvh, glb, fbx and usd.",
    ),
    click.option(
        "--channels",
        type=click.Choice(["ZXY", "ZYX"]),
        default="ZXY",
        show_default=True,
        help="Order of a BVH file's rotations.",
    ),
    click.option(
        "--tpose-frame",
        is_flag=True,
        help="Write a second BVH file, .tpose.bvh, whose frame 0 is the T-pose.",
    ),
)


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TABLE…")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    required=True,
    type=click.Choice(list(FORMATS)),
    metavar="NAME",
    help=f"What to write; give it once a format. {_SUMMARIES}.",
)
@with_options(OUTPUT_OPTION)
@click.option(
    "--people",
    default="all",
    show_default=True,
    callback=people_number,
    metavar="N|all",
    help="How many people to export: those most present and largest first.",
)
@click.option(
    "--select", multiple=True, type=int, metavar="ID", help="Export only this track; may be repeated."
)
@with_options(*_STYLE_OPTIONS)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.pass_context
def export(
    context: click.Context, /, tables: tuple[Path, ...], output: Path | None, overwrite: bool, **options: Any
) -> int:
    """Write the motion in a pose table as files for other programs.

    People stand on the floor of one world. Formats that hold one person give a file each, named by track:
    video.2.bvh. One bad table does not stop the others.

    \b
    Examples:
      videopose export video.npz --format bvh --names mixamo
      videopose export video.npz --format trc --format mot
      videopose export video.npz --format csv --units mm --up z
    """
    from ...lifting.pose_table import PoseTable
    from ..exports.export_tables import ExportOptions, check_options, export_table

    chosen = ExportOptions(**options)
    check_options(chosen)
    failures: list[int] = []
    for table in tables:
        try:
            export_table(PoseTable.load(table), table, chosen, output=output, overwrite=overwrite)
        except Exception as error:
            failures.append(complain(error, debug=context.find_root().params["debug"]))
    if not failures:
        return 0
    return failures[0] if len(failures) == len(tables) else SOME_FAILED


def export_options(formats: tuple[str, ...]) -> ExportOptions | None:
    """Return what `infer --export` is to write; None for nothing."""
    from ..exports.export_tables import ExportOptions

    return ExportOptions(formats=formats) if formats else None
