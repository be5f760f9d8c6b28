"""The commands that turn video into motion: `infer` and `demo`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .complaints import SOME_FAILED, complain
from .lifter_cli import CHECKPOINT_OPTIONS

if TYPE_CHECKING:
    from .infer import InferOptions
    from .outputs import Job

Function = TypeVar("Function", bound=Callable[..., Any])


def _people(context: click.Context, option: click.Parameter, value: str) -> int | None:
    if value == "all":
        return None
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise click.BadParameter("give a number from 1 on, or all")
    return number


def _infer_options(people: str) -> Callable[[Function], Function]:
    """The options that `infer` and `demo` share; `people` is the default of that option."""

    def decorate(function: Function) -> Function:
        for option in reversed(_shared_options(people)):
            function = option(function)
        return function

    return decorate


def _shared_options(people: str) -> tuple[Callable[[Function], Function], ...]:
    from ..detectors import registry
    from ..lifting.camera import DEFAULT_FOV
    from ..lifting.shipped import DEFAULT, shipped

    detectors = "; ".join(f"{name}: {entry.summary}" for name, entry in registry.DETECTORS.items())
    return (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Folder for the results.  [default: beside each video]",
        ),
        click.option(
            "--detector",
            default=registry.DEFAULT,
            show_default=True,
            help=f"What finds people and their keypoints. {detectors}.",
        ),
        click.option(
            "--lifter",
            default=DEFAULT,
            show_default=True,
            help=f"What lifts keypoints to 3D: {', '.join(shipped())}, or a file: .safetensors (ours) or "
            ".bin (a checkpoint in the published VideoPose3D format).",
        ),
        *CHECKPOINT_OPTIONS,
        click.option(
            "--people",
            default=people,
            show_default=True,
            callback=_people,
            metavar="N|all",
            help="How many people to lift: those most present (frames seen) and largest first.",
        ),
        click.option(
            "--start", default=0.0, show_default=True, metavar="SECONDS", help="Begin at this time."
        ),
        click.option("--end", type=float, metavar="SECONDS", help="Stop at this time.  [default: the end]"),
        click.option("--focal-px", type=float, help="Focal length in pixels of the upright frame."),
        click.option("--focal-35mm", type=float, help="Focal length as 35 mm equivalent."),
        click.option(
            "--hfov",
            type=float,
            help=f"Horizontal angle of view in degrees.  [default: {DEFAULT_FOV:g} across the longer side]",
        ),
        click.option(
            "--max-gap",
            default=0.5,
            show_default=True,
            metavar="SECONDS",
            help="Interpolate a person lost for at most this long; a longer loss begins a new track.",
        ),
        click.option("--no-render", is_flag=True, help="Write the pose table only, no animation."),
        click.option(
            "--no-flip",
            is_flag=True,
            help="Do not average with the prediction for the mirrored person (twice as fast lifting, a "
            "little less accurate).",
        ),
        click.option(
            "--device", default="auto", show_default=True, help="Where networks run: auto, cpu, cuda."
        ),
        click.option("--overwrite", is_flag=True, help="Replace results that exist."),
    )


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="VIDEO|FOLDER…")
@_infer_options("1")
@click.pass_context
def infer(context: click.Context, /, inputs: tuple[Path, ...], output: Path | None, **options: Any) -> int:
    """Turn videos into 3D motion.

    Each video.mp4 gives video.npz, the pose table, and video.3d.mp4, an animation beside the video. A folder
    means the videos in it. One bad file does not stop the others.
    """
    from .outputs import find_videos, plan

    jobs = plan(find_videos(inputs), output, animation=not options["no_render"])
    return _run(jobs, _settings(options), context, overwrite=options["overwrite"])


@click.command()
@_infer_options("all")
@click.pass_context
def demo(context: click.Context, /, output: Path | None, **options: Any) -> int:
    """Fetch a sample clip (two people, 8 seconds) and run `infer` on it."""
    from .batch import place_demo
    from .outputs import plan

    settings, overwrite = _settings(options), options["overwrite"]
    jobs = plan([(output or Path("videopose-demo")) / "demo.mp4"], None, animation=not options["no_render"])
    place_demo(jobs[0], overwrite=overwrite)
    return _run(jobs, settings, context, overwrite=overwrite)


def _settings(options: dict[str, Any]) -> InferOptions:
    from .infer import InferOptions
    from .intrinsics import FocalLength

    return InferOptions(
        detector=options["detector"],
        lifter=options["lifter"],
        lifter_layout=options["lifter_layout"],
        lifter_causal=options["lifter_causal"],
        people=options["people"],
        start=options["start"],
        end=options["end"],
        focal=FocalLength(options["focal_px"], options["focal_35mm"], options["hfov"]),
        max_gap=options["max_gap"],
        flip=not options["no_flip"],
        device=options["device"],
    )


def _run(jobs: list[Job], settings: InferOptions, context: click.Context, *, overwrite: bool) -> int:
    """Do the jobs and return the exit code."""
    from .batch import run

    debug: bool = context.find_root().params["debug"]
    failures: list[int] = []

    def failed(error: Exception) -> None:
        failures.append(complain(error, debug=debug))

    run(jobs, settings, overwrite=overwrite, command=context.obj, failed=failed)
    if not failures:
        return 0
    return failures[0] if len(failures) == len(jobs) else SOME_FAILED


COMMANDS = (infer, demo)
