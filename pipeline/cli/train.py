"""The command `train`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..progress import terminal


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Folder with the files that CONFIG names."
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for lifter and curves."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Replace a value: schedule.steps=500."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the output folder.")
@click.option("--device", default="auto", show_default=True, help="Where to train: auto, cpu, cuda.")
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
def train(
    config: Path,
    data: Path,
    output: Path,
    overrides: tuple[str, ...],
    resume: bool,
    device: str,
    overwrite: bool,
) -> None:
    """Train a lifter on motion capture, or on recordings of calibrated cameras.

    CONFIG is a YAML file such as configs/lifting/default.yaml or configs/lifting/h36m-243-cpn.yaml. The
    output folder gets lifter.safetensors, curves.png and, while it runs, checkpoint.pt. On several GPUs:
    torchrun --nproc-per-node N -m videopose train …
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
        stage=partial(terminal, unit="steps/s"),
    )
    if path is not None:  # in one process of several
        click.echo(path)
