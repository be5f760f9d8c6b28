"""The commands that turn video into motion: `infer`, its halves `detect` and `lift`, and `demo`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from .error_report import SOME_FAILED, complain
from .options import (
    ANIMATION_OPTION,
    CAMERA_OPTIONS,
    KEYPOINT_OPTIONS,
    LIFT_OPTIONS,
    OUTPUT_OPTION,
    RUN_OPTIONS,
    people_options,
    settings,
    with_options,
)


def _inputs(metavar: str) -> Callable[..., Any]:
    return click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar=metavar)


@click.command()
@_inputs("VIDEO|FOLDER…")
@with_options(OUTPUT_OPTION, *people_options("1"), *KEYPOINT_OPTIONS, *LIFT_OPTIONS, *CAMERA_OPTIONS)
@with_options(ANIMATION_OPTION, *RUN_OPTIONS)
@click.pass_context
def infer(context: click.Context, /, inputs: tuple[Path, ...], output: Path | None, **options: Any) -> int:
    """Turn videos into 3D motion.

    Each video.mp4 gives video.npz, the pose table, and video.3d.mp4, an animation beside the video. A folder
    means the videos in it. One bad file does not stop the others.
    """
    from ..inference.infer import InferOptions
    from ..inference.run_files import infer_videos
    from ..paths import find_videos, plan

    jobs = plan(find_videos(inputs), output, animation=not options["no_render"])
    return _run(infer_videos, jobs, settings(InferOptions, options), context, options["overwrite"])


@click.command()
@_inputs("VIDEO|FOLDER…")
@with_options(OUTPUT_OPTION, *people_options("1"), *KEYPOINT_OPTIONS, *CAMERA_OPTIONS, *RUN_OPTIONS)
@click.pass_context
def detect(context: click.Context, /, inputs: tuple[Path, ...], output: Path | None, **options: Any) -> int:
    """Find and follow people only; `lift` goes on from there.

    Each video.mp4 gives video.2d.npz, a pose table without poses. A folder means the videos in it. One bad
    file does not stop the others.
    """
    from ..inference.detect import DetectOptions
    from ..inference.run_files import detect_videos
    from ..paths import DETECTED_SUFFIX, find_videos, plan

    jobs = plan(find_videos(inputs), output, animation=False, suffix=DETECTED_SUFFIX)
    return _run(detect_videos, jobs, settings(DetectOptions, options), context, options["overwrite"])


@click.command()
@_inputs("TABLE|FOLDER…")
@with_options(OUTPUT_OPTION, *LIFT_OPTIONS, *CAMERA_OPTIONS, ANIMATION_OPTION, *RUN_OPTIONS)
@click.pass_context
def lift(context: click.Context, /, inputs: tuple[Path, ...], output: Path | None, **options: Any) -> int:
    """Lift what `detect` found, or lift again with another lifter or camera.

    Each video.2d.npz gives video.npz and video.3d.mp4, as `infer` would have given; the animation shows the
    video where that lies beside the table. A video.npz can be lifted again, to another --output folder or
    with --overwrite. A folder means the tables in it that `detect` wrote.
    """
    from ..inference.lift import LiftOptions
    from ..inference.run_files import lift_tables
    from ..paths import find_tables, plan

    jobs = plan(find_tables(inputs), output, animation=not options["no_render"])
    return _run(lift_tables, jobs, settings(LiftOptions, options), context, options["overwrite"])


@click.command()
@with_options(OUTPUT_OPTION, *people_options("all"), *LIFT_OPTIONS, *CAMERA_OPTIONS)
@with_options(ANIMATION_OPTION, *RUN_OPTIONS)
@click.pass_context
def demo(context: click.Context, /, output: Path | None, **options: Any) -> int:
    """Fetch a sample clip (two people, 8 seconds) and run `infer` on it."""
    from ..inference.infer import InferOptions
    from ..inference.run_files import infer_videos, place_demo
    from ..paths import plan

    chosen, overwrite = settings(InferOptions, options), options["overwrite"]
    jobs = plan([(output or Path("videopose-demo")) / "demo.mp4"], None, animation=not options["no_render"])
    place_demo(jobs[0], overwrite=overwrite)
    return _run(infer_videos, jobs, chosen, context, overwrite)


def _run(
    work: Callable[..., None], jobs: Sequence[object], chosen: object, context: click.Context, overwrite: bool
) -> int:
    """Do the jobs and return the exit code."""
    debug: bool = context.find_root().params["debug"]
    failures: list[int] = []

    def failed(error: Exception) -> None:
        failures.append(complain(error, debug=debug))

    work(jobs, chosen, overwrite=overwrite, command=context.obj, failed=failed)
    if not failures:
        return 0
    return failures[0] if len(failures) == len(jobs) else SOME_FAILED


COMMANDS = (infer, detect, lift, demo)
