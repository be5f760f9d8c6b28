"""The command `train`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..progress import progress_bar
from .command import FilePath, command, under
from .options import DEVICE_OPTION, OVERWRITE_OPTION, RESUME_OPTION, overrides_option, run_folder_option


@command(
    examples=(
        "videopose train configs/lifting/default.yaml --data mocap --output runs/mine",
        "videopose train configs/lifting/default.yaml --data mocap --output runs/mine --resume",
        "videopose train configs/lifting/h36m-243-cpn.yaml --data data --output runs/h36m "
        "--set schedule.batch=512",
    )
)
@click.argument("config", type=FilePath())
@under(
    "Input",
    click.option(
        "--data",
        required=True,
        type=FilePath(),
        metavar="FOLDER",
        help="Folder with the files that CONFIG names.",
    ),
    overrides_option("Replace a value of CONFIG, such as schedule.steps=500."),
)
@run_folder_option("Folder for lifter.safetensors, curves.png and checkpoint.pt.")
@OVERWRITE_OPTION
@RESUME_OPTION
@DEVICE_OPTION
@click.pass_context
def train(
    context: click.Context,
    /,
    config: Path,
    data: Path,
    output: Path,
    overrides: tuple[str, ...],
    resume: bool,
    device: str,
    overwrite: bool,
) -> None:
    """Train a lifter on motion capture or recordings.

    CONFIG is a YAML file such as configs/lifting/default.yaml, for motion capture, or
    configs/lifting/h36m-243-cpn.yaml, for recordings with calibrated cameras. On several GPUs, run
    torchrun --nproc-per-node N -m videopose train and the same arguments.
    """
    from ..training.train_lifter import run

    path = run(
        config,
        data,
        output,
        overrides=overrides,
        resume=resume,
        device=device,
        overwrite=overwrite,
        command=context.obj or "",
        progress=partial(progress_bar, unit="steps/s"),
    )
    if path is not None:  # None in all processes of torchrun but the first
        click.echo(path)
