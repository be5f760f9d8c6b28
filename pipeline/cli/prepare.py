"""The commands that make training and evaluation files from datasets: `prepare …`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import Advance, progress_bar, say
from .command import Decorator, FilePath, Group, under
from .error_report import Failures
from .options import OVERWRITE_OPTION


@click.group(
    cls=Group,
    examples=(
        "videopose prepare cmu mocap/cmu --output cmu.npz",
        "videopose prepare h36m h36m-archives --output data/data_3d_h36m.npz",
        "videopose prepare detector-labels data/data_3d_h36m.npz --videos h36m-archives",
    ),
)
def prepare() -> None:
    """Make training and evaluation files from datasets.

    The datasets are read as their makers publish them.
    """


_folder = click.argument("folder", type=FilePath())


def _output(default: str) -> Decorator[Any]:
    return under(
        "Output",
        click.option(
            "-o",
            "--output",
            type=FilePath(),
            default=default,
            show_default=True,
            metavar="FILE",
            help="File to write.",
        ),
    )


@prepare.command(
    examples=(
        "videopose prepare h36m h36m-archives",
        "videopose prepare h36m h36m-archives --output data/data_3d_h36m.npz",
        "videopose prepare h36m h36m-archives --overwrite",
    )
)
@_folder
@_output("data_3d_h36m.npz")
@OVERWRITE_OPTION
@click.pass_context
def h36m(context: click.Context, /, folder: Path, output: Path, overwrite: bool) -> int:
    """Convert Human3.6M: 3D poses, and 2D keypoints projected from them.

    FOLDER is where the archives Poses_D3_Positions_S*.tgz of subjects 1, 5, 6, 7, 8, 9 and 11 were unpacked.
    It contains "S1/MyPoseFeatures/D3_Positions/Directions 1.cdf" and so on, or .cdf.mat files from MATLAB.
    data_2d_h36m_gt.npz is written beside the output.
    """
    from ..datasets.prepare_human36m import prepare_h36m

    return _run(prepare_h36m, context, folder, output, overwrite=overwrite)


@prepare.command(
    examples=(
        "videopose prepare humaneva converted_15j",
        "videopose prepare humaneva converted_15j --output data/data_3d_humaneva15.npz",
        "videopose prepare humaneva converted_15j --overwrite",
    )
)
@_folder
@_output("data_3d_humaneva15.npz")
@OVERWRITE_OPTION
@click.pass_context
def humaneva(context: click.Context, /, folder: Path, output: Path, overwrite: bool) -> int:
    """Convert HumanEva-I: 3D poses and 2D keypoints, cut where the capture failed.

    FOLDER is the folder converted_15j that VideoPose3D's ConvertHumanEva.m writes with the dataset's own
    MATLAB code. It contains Train/S1/Walking_1.mat and so on. data_2d_humaneva15_gt.npz is written beside
    the output.
    """
    from ..datasets.prepare_humaneva import prepare_humaneva

    return _run(prepare_humaneva, context, folder, output, overwrite=overwrite)


@prepare.command(
    examples=(
        "videopose prepare cmu mocap/cmu",
        "videopose prepare cmu mocap/cmu --index cmu-index.txt --output mocap/cmu.npz",
        "videopose prepare cmu mocap/other --rate 60",
    )
)
@_folder
@under(
    "Input",
    click.option(
        "--rate",
        default=120.0,
        show_default=True,
        metavar="FPS",
        help="Frames a second of .amc files; subjects 60 and 61 have 60.",
    ),
    click.option(
        "--index",
        type=FilePath(),
        metavar="FILE",
        help="Text file that names the clips' actions, a line each: 07_01 walk",
    ),
)
@_output("cmu.npz")
@OVERWRITE_OPTION
@click.pass_context
def cmu(
    context: click.Context, /, folder: Path, output: Path, overwrite: bool, rate: float, index: Path | None
) -> int:
    """Convert CMU's motion capture to a table of clean clips at 50 frames a second.

    FOLDER contains, at any depth, clips with CMU's names: 07_01.amc with 07.asf beside it, or 07_01.bvh from
    the conversion for MotionBuilder, whose errors are corrected.
    """
    from ..datasets.prepare_cmu import prepare_cmu

    if not rate > 0:
        raise click.BadParameter("give a positive frame rate", param_hint="--rate")
    return _run(prepare_cmu, context, folder, output, overwrite=overwrite, rate=rate, index=index)


@prepare.command(
    "detector-labels",
    examples=(
        "videopose prepare detector-labels data/data_3d_h36m.npz --videos h36m-archives",
        "videopose prepare detector-labels scene.json --stride 5 --output labels",
        "videopose finetune-detector --detector cpn --images detector-labels "
        "--annotations detector-labels/annotations.json --output runs/cpn  # what they are for",
    ),
)
@click.argument("source", type=FilePath(), metavar="POSES|SCENE")
@under(
    "Input",
    click.option(
        "--videos",
        type=FilePath(),
        metavar="FOLDER",
        help="For Human3.6M: where its archives Videos_S*.tgz were unpacked.",
    ),
    click.option(
        "--subjects",
        default="S1,S5,S6,S7,S8",  # the training subjects of all published work on Human3.6M
        show_default=True,
        metavar="NAMES",
        help="For Human3.6M: only these people.",
    ),
    click.option(
        "--stride", default=10, show_default=True, metavar="FRAMES", help="Frames between two images."
    ),
)
@under(
    "Output",
    click.option(
        "-o",
        "--output",
        default="detector-labels",
        show_default=True,
        type=FilePath(),
        metavar="FOLDER",
        help="For annotations.json and the images.",
    ),
)
@OVERWRITE_OPTION
@click.pass_context
def detector_labels(context: click.Context, /, source: Path, subjects: str, **options: Any) -> int:
    """Make annotated images for detectors from motion capture with videos.

    POSES is Human3.6M's data_3d_h36m.npz. SCENE is a JSON file that names the poses, cameras and videos of
    any other recording. `videopose finetune-detector` trains on the images and their annotations.
    """
    from ..datasets.detector_labels import prepare_labels

    failures = Failures(context)
    chosen = tuple(name.strip() for name in subjects.split(","))
    progress = partial(progress_bar, unit="images/s")
    for path in prepare_labels(source, subjects=chosen, progress=progress, report_error=failures, **options):
        say(f"→ {path}")
    return failures.exit_code()


def _run(
    work: Callable[..., list[Path]], context: click.Context, folder: Path, output: Path, **options: Any
) -> int:
    """Do the work and print what was written; return the exit code."""
    failures = Failures(context)
    files: list[int] = []

    def progress(description: str, total: int | None) -> AbstractContextManager[Advance]:
        files.append(total or 0)
        return progress_bar(description, total, unit="files/s")

    for path in work(folder, output, progress=progress, report_error=failures, **options):
        say(f"→ {path}")
    return failures.exit_code(sum(files))
