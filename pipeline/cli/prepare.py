"""`videopose prepare`: the command line of `pipeline/prepare.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from ..progress import Stage, say, terminal
from .error_report import SOME_FAILED, complain

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group()
def prepare() -> None:
    """Turn data sets, as their makers publish them, into files for training and evaluation."""


def _output(default: str) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        function = click.option("--overwrite", is_flag=True, help="Replace results that exist.")(function)
        return click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            default=default,
            show_default=True,
            metavar="FILE",
            help="File to write.",
        )(function)

    return add


_folder = click.argument("folder", type=click.Path(path_type=Path))


@prepare.command()
@_folder
@_output("data_3d_h36m.npz")
@click.pass_context
def h36m(context: click.Context, /, folder: Path, output: Path, overwrite: bool) -> int:
    """Human3.6M: 3D poses, and the 2D keypoints that follow from them.

    FOLDER is where the archives Poses_D3_Positions_S*.tgz of subjects 1, 5, 6, 7, 8, 9 and 11 were unpacked,
    so that it holds "S1/MyPoseFeatures/D3_Positions/Directions 1.cdf" and so on (or .cdf.mat, from MATLAB).
    data_2d_h36m_gt.npz is written beside the output. Needs: pip install 'videopose[datasets]'
    """
    from ..datasets.prepare_human36m import prepare_h36m

    return _run(prepare_h36m, context, folder, output, overwrite=overwrite)


@prepare.command()
@_folder
@_output("data_3d_humaneva15.npz")
@click.pass_context
def humaneva(context: click.Context, /, folder: Path, output: Path, overwrite: bool) -> int:
    """HumanEva-I: 3D poses and 2D keypoints, cut where the capture failed.

    FOLDER is the converted_15j that VideoPose3D's ConvertHumanEva.m writes with the data set's own MATLAB
    code: Train/S1/Walking_1.mat and so on. data_2d_humaneva15_gt.npz is written beside the output.
    """
    from ..datasets.prepare_humaneva import prepare_humaneva

    return _run(prepare_humaneva, context, folder, output, overwrite=overwrite)


@prepare.command()
@_folder
@_output("cmu.npz")
@click.option(
    "--rate", default=120.0, show_default=True, help="Frames a second of .amc files (60 and 61 are 60)."
)
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    help="Text file that says what clips show, in lines such as: 07_01 walk",
)
@click.pass_context
def cmu(
    context: click.Context, /, folder: Path, output: Path, overwrite: bool, rate: float, index: Path | None
) -> int:
    """CMU's motion capture: a table of clean clips at 50 frames a second.

    FOLDER holds, at any depth, clips named after CMU's: 07_01.amc with 07.asf beside it, or 07_01.bvh of the
    conversion for MotionBuilder, whose faults are mended.
    """
    from ..datasets.prepare_cmu import prepare_cmu

    if not rate > 0:
        raise click.BadParameter("give a positive frame rate", param_hint="--rate")
    return _run(prepare_cmu, context, folder, output, overwrite=overwrite, rate=rate, index=index)


def _run(
    work: Callable[..., list[Path]], context: click.Context, folder: Path, output: Path, **options: Any
) -> int:
    """Do it, say what was written, and return the exit code."""
    debug = bool(context.find_root().params.get("debug"))
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        complain(error, debug=debug)

    stage: Stage = partial(terminal, unit="files/s")
    for path in work(folder, output, stage=stage, failed=failed, **options):
        say(f"→ {path}")
    return SOME_FAILED if failures else 0


COMMANDS = (prepare,)
