"""The command `semi-train`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import progress_bar
from .command import FilePath, command, under
from .error_report import Failures
from .options import (
    CAMERA_OPTIONS,
    DEVICE_OPTION,
    OVERWRITE_OPTION,
    RESUME_OPTION,
    TIME_OPTIONS,
    overrides_option,
    people_options,
    run_folder_option,
    settings,
)


@command(
    "semi-train",
    examples=(
        "videopose semi-train --unlabeled videos/ --output runs/mine",
        "videopose semi-train --unlabeled videos/ --labeled mocap/ --output runs/mine",
        "videopose semi-train --recipe h36m-s1-1pc --labeled data --output runs/h36m  # as in the paper",
    ),
)
@under(
    "Input",
    click.option(
        "--unlabeled",
        multiple=True,
        type=FilePath(),
        metavar="VIDEO|FOLDER",
        help="Your own videos. May be given more than once.",
    ),
    click.option(
        "--labeled",
        type=FilePath(),
        metavar="FILE|FOLDER",
        help="Motion with labels.  [default: the videos' motion as --lifter sees it]",
    ),
)
@TIME_OPTIONS
@people_options("all")
@CAMERA_OPTIONS
@under(
    "Training",
    click.option(
        "--lifter",
        default="default",
        show_default=True,
        metavar="NAME|FILE",
        help="The lifter to start from: a pretrained one, or a .safetensors file.",
    ),
    click.option(
        "--recipe",
        default="footage",
        show_default=True,
        metavar="NAME|FILE",
        help="How to train: the name of a file in configs/semi, or a YAML file.",
    ),
    overrides_option("Replace a value of the recipe, such as schedule.steps=500."),
)
@run_folder_option("For lifter.safetensors, report.md, curves.png and detections.")
@OVERWRITE_OPTION
@RESUME_OPTION
@DEVICE_OPTION
@click.pass_context
def semi_train(
    context: click.Context,
    /,
    unlabeled: tuple[Path, ...],
    labeled: Path | None,
    lifter: str,
    recipe: str,
    overrides: tuple[str, ...],
    output: Path,
    resume: bool,
    **options: Any,
) -> int:
    """Train a lifter on your own videos, without labels.

    People are found in the videos, and the lifter learns poses that match their keypoints when projected back
    to the image. Motion with labels is learnt at the same time, so that poses stay like those of real people:
    the videos' motion as --lifter sees it and, in turns with it, that of --labeled, which takes a
    motion-capture table, data_3d_h36m.npz, data_3d_humaneva15.npz, or a folder of them.

    `videopose infer --lifter OUTPUT/lifter.safetensors` uses the result. If one video fails, the others are
    still used.

    Recipes called h36m-… are the paper's experiments. They take --labeled, the folder of Human3.6M's files,
    and no videos.
    """
    from ..inference.options import DetectOptions
    from ..training.semi_supervised.run import SemiOptions, run

    failures = Failures(context)
    path = run(
        SemiOptions(
            unlabeled=unlabeled,
            labeled=labeled,
            recipe=recipe,
            overrides=overrides,
            lifter=lifter,
            detect=settings(DetectOptions, options),
        ),
        output,
        resume=resume,
        device=options["device"],
        overwrite=options["overwrite"],
        command=context.obj or "",
        failed=failures,
        progress=progress_bar,
        steps=partial(progress_bar, unit="steps/s"),
    )
    if path is not None:  # None in all processes of torchrun but the first
        click.echo(path)
    return failures.exit_code()
