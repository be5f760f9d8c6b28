"""The command `angles`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .command import command
from .export import MOTION_OPTIONS, for_each_table
from .options import OUTPUT_OPTION, OVERWRITE_OPTION


@command(
    examples=(
        "videopose angles video.npz",
        "videopose angles video.npz --people 1 --output angles",
        "videopose export video.npz --format angles  # the numbers, as CSV",
    )
)
@click.argument("tables", nargs=-1, required=True, metavar="TABLE…")
@MOTION_OPTIONS
@OUTPUT_OPTION
@OVERWRITE_OPTION
@click.pass_context
def angles(
    context: click.Context, /, tables: tuple[str, ...], output: Path | None, overwrite: bool, **options: Any
) -> int:
    """Print the ranges of people's joint angles, and draw their curves.

    Each video.npz gives video.angles.png; of several people each has a picture, named by track:
    video.2.angles.png. docs/joint-angles.md defines each angle. If one table fails, the others are still
    done.
    """
    from ..exports.angle_report import report_angles
    from ..exports.motions import MotionOptions

    chosen = MotionOptions(**options)
    return for_each_table(
        context,
        tables,
        lambda table, source: report_angles(
            table, source, chosen, output=output, overwrite=overwrite, command=context.obj
        ),
    )
