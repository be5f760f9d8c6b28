"""The command `semi-train`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import terminal
from .error_report import SOME_FAILED, complain
from .options import CAMERA_OPTIONS, RUN_OPTIONS, people_options, settings, with_options


@click.command("semi-train")
@click.option(
    "--unlabeled",
    "unlabelled",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="VIDEO|FOLDER",
    help="Your own videos, any number of them. May be given more than once.",
)
@click.option(
    "--labeled",
    "labelled",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE|FOLDER",
    help="Motion with labels: a motion-capture table, data_3d_h36m.npz, data_3d_humaneva15.npz, or a folder "
    "of them; it takes turns with the videos' own motion, as the starting lifter sees it.  "
    "[default: the latter alone]",
)
@click.option(
    "--lifter",
    default="default",
    show_default=True,
    help="The lifter to start from: one that ships, or a .safetensors file.",
)
@click.option(
    "--recipe",
    default="footage",
    show_default=True,
    metavar="NAME|FILE",
    help="How to train: a YAML file, or the name of one in configs/semi. Those called h36m-… are the paper's "
    "experiments: they take --labeled, the folder of Human3.6M's files, and no videos.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Replace a value: schedule.steps=500."
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for lifter.safetensors, report.md, curves.png and detections/.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the output folder.")
@with_options(*people_options("all"), *CAMERA_OPTIONS, *RUN_OPTIONS)
@click.pass_context
def semi_train(
    context: click.Context,
    /,
    unlabelled: tuple[Path, ...],
    labelled: Path | None,
    lifter: str,
    recipe: str,
    overrides: tuple[str, ...],
    output: Path,
    resume: bool,
    **options: Any,
) -> int:
    """Teach a lifter your own footage, which nobody has labelled.

    People are found in the videos, and the lifter learns to give poses that, projected back, lie on their
    keypoints, while motion with labels holds it to what people are like. `videopose infer --lifter
    OUTPUT/lifter.safetensors` uses the result. One bad video does not stop the others.
    """
    from ..inference.detect import DetectOptions
    from ..training.semi_supervised.run import SemiOptions, run

    failures: list[int] = []

    def failed(error: Exception) -> None:
        failures.append(complain(error, debug=bool(context.find_root().params.get("debug"))))

    path = run(
        SemiOptions(
            unlabelled=unlabelled,
            labelled=labelled,
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
        failed=failed,
        stage=terminal,
        steps=partial(terminal, unit="steps/s"),
    )
    if path is not None:  # in one process of several
        click.echo(path)
    return SOME_FAILED if failures else 0


COMMANDS = (semi_train,)
