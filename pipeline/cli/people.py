"""The command `people`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .command import FilePath, command, under
from .error_report import Failures
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
        "videopose people videos/ --output people",
        "videopose lift video.2d.npz --select 2,5  # then: these two, without finding people again",
    )
)
@click.argument("inputs", nargs=-1, required=True, metavar="VIDEO|TABLE|FOLDER…")
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
    inputs: tuple[str, ...],
    video: Path | None,
    output: Path | None,
    overwrite: bool,
    **options: Any,
) -> int:
    """Show who is in a video: a contact sheet.

    Each person has a card: the picture that shows them best, their id, when they are there, and how large.
    --select ID and --select-at X,Y of other commands choose people by it.

    video.mp4 gives video.people.png, and video.2d.npz, the pose table without poses, which `videopose lift`
    reads. Of a pose table only the sheet is drawn; its video must be beside it. `videopose infer` gives the
    same people the same ids, if --start, --end, --detector and --max-gap are the same.

    A folder stands for the videos in it or, if there are none, for its pictures, as for infer. If one file
    fails, the others are still done.
    """
    from ..inference.options import DetectOptions
    from ..inference.run_files import show_people
    from ..inputs import find_videos_and_tables
    from ..paths import DETECTED_SUFFIX, plan

    chosen, failures = settings(DetectOptions, {**options, "people": None}), Failures(context)
    jobs = plan(find_videos_and_tables(inputs, failures), output, animation=False, suffix=DETECTED_SUFFIX)
    inputs_in_all = len(jobs) + failures.count
    show_people(jobs, chosen, video=video, overwrite=overwrite, command=context.obj, failed=failures)
    return failures.exit_code(inputs_in_all)
