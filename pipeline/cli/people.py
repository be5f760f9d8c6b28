"""The command `people`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .command import FilePath, command, under
from .options import (
    DEVICE_OPTION,
    KEYPOINT_OPTIONS,
    OUTPUT_OPTION,
    OVERWRITE_OPTION,
    STATIC_CAMERA_OPTION,
    TIME_OPTIONS,
    detector_options,
    settings,
)


@command(
    examples=(
        "videopose people video.mp4",
        "videopose people video.npz --video video.mp4",
        "videopose lift video.2d.npz --select 2,5  # then: these two, without finding people again",
    )
)
@click.argument("source", type=FilePath(), metavar="VIDEO|TABLE")
@under(
    "Input",
    click.option(
        "--video",
        type=FilePath(),
        metavar="FILE",
        help="The table's video.  [default: the one of its name beside the table]",
    ),
)
@TIME_OPTIONS
@KEYPOINT_OPTIONS
@detector_options()
@STATIC_CAMERA_OPTION
@OUTPUT_OPTION
@OVERWRITE_OPTION
@DEVICE_OPTION
@click.pass_context
def people(
    context: click.Context,
    /,
    source: Path,
    video: Path | None,
    output: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Show who is in a video: a contact sheet.

    Each person has a card: the picture that shows them best, their id, when they are there, and how large.
    --select ID and --select-at X,Y of other commands choose people by it.

    video.mp4 gives video.people.png, and video.2d.npz, the pose table without poses, which `videopose lift`
    reads. Of a pose table only the sheet is drawn; its video must be beside it. `videopose infer` gives the
    same people the same ids, if --start, --end, --detector and --max-gap are the same.
    """
    from ..inference.options import DetectOptions
    from ..inference.people_sheet import show_people

    chosen = settings(DetectOptions, {**options, "people": None})
    show_people(source, chosen, output=output, video=video, overwrite=overwrite, command=context.obj)
