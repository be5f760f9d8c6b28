"""The commands about lifters themselves: `evaluate` and `inspect`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from ..progress import terminal
from .options import CHECKPOINT_OPTIONS

Function = TypeVar("Function", bound=Callable[..., Any])


def _lifter(function: Function) -> Function:
    """The argument LIFTER with `CHECKPOINT_OPTIONS`."""
    for decorate in reversed((click.argument("lifter"), *CHECKPOINT_OPTIONS)):
        function = decorate(function)
    return function


@click.command()
@_lifter
@click.option(
    "--data",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE|FOLDER",
    help="A motion-capture table, Human3.6M's or HumanEva-I's 3D poses (data_3d_….npz), or a folder of them. "
    "May be given more than once.",
)
@click.option(
    "--keypoints",
    "-k",
    metavar="NAME|FILE",
    help="Of Human3.6M and HumanEva-I: whose 2D keypoints. A name means data_2d_<data set>_<name>.npz beside "
    "the poses, such as cpn_ft_h36m_dbb or gt.  [default: the only one there is]",
)
@click.option(
    "--subjects",
    multiple=True,
    metavar="NAMES",
    help="Only these people, commas between.  [default: those held out of the lifter's training; of "
    "Human3.6M S9 and S11, of HumanEva-I the Validate parts]",
)
@click.option(
    "--actions",
    multiple=True,
    metavar="NAMES",
    help="Only these actions, commas between.  [default: all; of HumanEva-I Walking, Jog and Box]",
)
@click.option(
    "--all-subjects",
    is_flag=True,
    help="Also people whom the lifter was trained on, whose errors say nothing about its accuracy.",
)
@click.option("--no-flip", is_flag=True, help="Without flip augmentation only; else with and without.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice(["1", "2", "3", "velocity"]),
    help="Show these columns only: 1 MPJPE, 2 P-MPJPE, 3 N-MPJPE, velocity MPJVE. The CSV file has all.",
)
@click.option(
    "--seeds",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="Of motion capture: how often to draw cameras and detections; errors are means over the draws.",
)
@click.option(
    "--cameras",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Of motion capture: cameras a clip and seed.",
)
@click.option(
    "--severity",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.01, 2.8),
    metavar="FACTOR",
    help="Of motion capture: how bad the simulated detector is; 1 is harsh on purpose.",
)
@click.option(
    "--true-2d",
    is_flag=True,
    help="Perfect keypoints instead of simulated detections; of Human3.6M and HumanEva-I, --keypoints gt.",
)
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE", help="Also write the errors here.")
@click.option("--device", default="auto", show_default=True, help="Where the lifter runs: auto, cpu, cuda.")
@click.option("--overwrite", is_flag=True, help="Replace a CSV file that exists.")
def evaluate(
    lifter: str,
    protocols: tuple[str, ...],
    csv: Path | None,
    no_flip: bool,
    all_subjects: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Measure a lifter: its errors by action and by person, in millimetres.

    LIFTER is the name of a shipped lifter or a file (.safetensors, or .bin in the published format). Motion
    capture is seen through random cameras and a simulated detector, the same for every lifter. Of Human3.6M
    and HumanEva-I, every camera's recordings are lifted, and the table is laid out as the paper's. The mean
    over actions weighs every action alike, as the paper's tables do.
    """
    from ..evaluation.evaluate_lifter import run
    from ..evaluation.lifter_report import show, write_csv
    from ..evaluation.test_data import EvaluateOptions
    from ..paths import check_free

    if csv is not None:
        check_free([csv], overwrite=overwrite, elsewhere="another name for --csv")
    settings = EvaluateOptions(lifter, flip=not no_flip, everybody=all_subjects, **options)
    results = run(settings, stage=partial(terminal, unit="clips/s"))
    show(results, lifter=lifter, protocols=protocols)
    if csv is not None:
        write_csv(csv, results, lifter=lifter)


@click.command()
@_lifter
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs to read.")
def inspect(lifter: str, lifter_layout: str | None, lifter_causal: bool, as_json: bool) -> None:
    """Say what a lifter is: its receptive field, parameters, FLOPs, input, training and licence.

    LIFTER is the name of a shipped lifter or a file (.safetensors, or .bin in the published format).
    Parameters and FLOPs are counted as in the paper's Table 5.
    """
    from ..evaluation.describe_lifter import describe, show

    description = describe(lifter, layout=lifter_layout, causal=lifter_causal)
    if as_json:
        click.echo(json.dumps(description, indent=2, ensure_ascii=False))
    else:
        show(description)


COMMANDS = (evaluate, inspect)
