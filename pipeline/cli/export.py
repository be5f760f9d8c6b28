"""The command `export`, and the options of exports that `infer` shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...lifting.exports import FORMATS
from .command import Decorator, command, together, under
from .error_report import Failures
from .options import FILTER_OPTION, OUTPUT_OPTION, OVERWRITE_OPTION, SELECT_OPTION, number_option

if TYPE_CHECKING:
    from ...lifting.pose_table import PoseTable
    from ..exports.export_tables import ExportOptions

_SUMMARIES = "; ".join(f"{each.name}: {each.summary}" for each in FORMATS.values())

EXPORT_OPTION: Decorator[Any] = under(
    "Output",
    click.option(
        "--export",
        "export",
        multiple=True,
        type=click.Choice(list(FORMATS)),
        metavar="FORMAT",
        help=f"Also export the motion: {', '.join(FORMATS)}. May be given more than once.",
    ),
)

MOTION_OPTIONS: Decorator[Any] = together(
    number_option("all"),
    SELECT_OPTION,
    under(
        "Motion",
        click.option(
            "--fps",
            type=float,
            metavar="RATE",
            help="Resample to this many frames a second.  [default: the video's own]",
        ),
        FILTER_OPTION,
    ),
)


@command(
    examples=(
        "videopose export video.npz --format bvh --names mixamo",
        "videopose export video.npz --format bvh --format glb --output exports",
        "videopose export video.npz --format bvh --people 1 --fps 30",
    )
)
@click.argument("tables", nargs=-1, required=True, metavar="TABLE…")
@MOTION_OPTIONS
@under(
    "Format",
    click.option(
        "-f",
        "--format",
        "formats",
        multiple=True,
        required=True,
        type=click.Choice(list(FORMATS)),
        metavar="NAME",
        help=f"The format. May be given more than once. {_SUMMARIES}.",
    ),
    click.option(
        "--units", type=click.Choice(["m", "cm", "mm"]), help="Unit of lengths.  [default: the format's]"
    ),
    click.option(
        "--up", type=click.Choice(["y", "z"]), help="The axis that points up.  [default: the format's]"
    ),
    click.option(
        "--names",
        type=click.Choice(["plain", "mixamo", "cmu"]),
        default="plain",
        show_default=True,
        help="Names of joints in bvh, glb, fbx and usd.",
    ),
    click.option(
        "--channels",
        type=click.Choice(["ZXY", "ZYX"]),
        default="ZXY",
        show_default=True,
        help="Order of rotations in bvh.",
    ),
    click.option(
        "--lock-feet/--no-lock-feet",
        default=None,
        help="Hold planted feet still.  [default: in bvh, glb, usd and fbx]",
    ),
    click.option(
        "--only-seen",
        is_flag=True,
        help="Leave out joints that the picture does not show, in trc, c3d, csv, json and npz, and their "
        "angles.",
    ),
    click.option("--tpose-frame", is_flag=True, help="Also write .tpose.bvh, whose frame 0 is a T-pose."),
)
@OUTPUT_OPTION
@OVERWRITE_OPTION
@click.pass_context
def export(
    context: click.Context, /, tables: tuple[str, ...], output: Path | None, overwrite: bool, **options: Any
) -> int:
    """Write the motion in a pose table as files for other programs.

    People stand on the floor of one world. Formats that hold one person give a file for each, named by track:
    video.2.bvh. If one table fails, the others are still exported.
    """
    from ..exports.export_tables import ExportOptions, check_options, export_table
    from ..inference.notes.unseen import unseen_notes
    from ..progress import say

    chosen = ExportOptions(**options)
    check_options(chosen)

    def process(table: PoseTable, source: Path) -> None:
        for note in unseen_notes(table):
            say(f"note: {note}")
        export_table(table, source, chosen, output=output, overwrite=overwrite, command=context.obj)

    return for_each_table(context, tables, process)


def for_each_table(
    context: click.Context, tables: Sequence[str], process: Callable[[PoseTable, Path], object]
) -> int:
    """Load each table and process it, also if others fail; return the exit code."""
    from ..inputs import path_of
    from ..naming import naming
    from ..table_files import check_has_poses, load_table

    failures = Failures(context)
    for name in tables:
        try:
            source = path_of(name)
            table = load_table(source)
            check_has_poses(source, table)
            with naming(source if len(tables) > 1 else None):
                process(table, source)
        except Exception as error:
            failures(error)
    return failures.exit_code(len(tables))


def export_options(formats: tuple[str, ...]) -> ExportOptions | None:
    """Return what `--export` asks for; None for nothing. Raises `UsageError`."""
    if not formats:
        return None
    from ..exports.export_tables import ExportOptions, check_options  # these load SciPy

    chosen = ExportOptions(formats=formats)
    check_options(chosen)
    return chosen
