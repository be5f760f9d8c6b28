"""The command line: it parses, calls, and turns errors into one line and an exit code."""

from __future__ import annotations

import logging
import shlex
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import VideoposeError
from .progress import say, terminal

if TYPE_CHECKING:
    from .infer import InferOptions
    from .outputs import Job

_EXIT_CODES = """\b
Exit codes:
  0  done                          4  nobody was found in the video
  1  a bug (please report it)      5  a result cannot be written
  2  wrong option or name          6  a pinned download is missing
  3  a file cannot be read         7  some of several videos failed
"""
SOME_FAILED = 7

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=_EXIT_CODES
)
@click.version_option(package_name="videopose")
@click.option("--debug", is_flag=True, help="Show tracebacks and libraries' own messages.")
def cli(debug: bool) -> None:
    """Ordinary video of people in, their motion in 3D out."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Every deliberate error is one line on stderr; `--debug` shows where it came from."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "--debug" in arguments:  # welcome after the command's name, too, where people add it
        arguments = ["--debug", *(a for a in arguments if a != "--debug")]
    command = shlex.join(["videopose", *arguments])
    try:
        status = cli.main(arguments, prog_name="videopose", standalone_mode=False, obj=command)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        say("interrupted; nothing half-written was left")
        sys.exit(130)
    except Exception as error:
        sys.exit(complain(error, debug="--debug" in arguments))


def complain(error: Exception, *, debug: bool) -> int:
    """Print one line about the error, after its traceback for `debug`, and return its exit code."""
    if debug:
        say("".join(traceback.format_exception(error)))
    if isinstance(error, VideoposeError):
        say(f"error: {error}")
        return error.exit_code
    say(f"bug: {type(error).__name__}: {error}" + ("" if debug else " (--debug shows where)"))
    return 1


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


def _size(context: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter("give WIDTHxHEIGHT in pixels, such as 1200x600")
    return int(width), int(height)


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
        click.option(
            "--lifter-layout",
            help="For a .bin: the keypoint layout it reads, coco17 or h36m17.  [default: coco17 where "
            "the file's name says coco, else h36m17]",
        ),
        click.option("--lifter-causal", is_flag=True, help="For a .bin: it is a causal model."),
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


@cli.command()
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


@cli.command()
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


@cli.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write: .mp4, .mov, .mkv or .gif.  [default: TABLE.3d.mp4]",
)
@click.option(
    "--view",
    "views",
    multiple=True,
    metavar="NAME|AZIMUTH,ELEVATION",
    help="A 3D panel: camera, turned, side, back, top, or degrees such as 70,15. Give it up to four times.  "
    "[default: camera and turned]",
)
@click.option("--size", default="1200x600", show_default=True, callback=_size, help="Picture size in pixels.")
@click.option(
    "--video",
    type=click.Path(path_type=Path),
    help="The video the table was made from.  [default: the one of that name beside the table]",
)
@click.option("--no-video", is_flag=True, help="Draw the 3D panels only.")
@click.option("--overwrite", is_flag=True, help="Replace a result that exists.")
def render(
    table: Path,
    output: Path | None,
    views: tuple[str, ...],
    size: tuple[int, int],
    video: Path | None,
    no_video: bool,
    overwrite: bool,
) -> None:
    """Draw an animation from a pose table."""
    from ..render.views import DEFAULT_VIEWS, parse_view
    from .batch import redraw

    chosen = [parse_view(view) for view in views] or DEFAULT_VIEWS
    redraw(table, output, views=chosen, size=size, video=video, use_video=not no_video, overwrite=overwrite)


@cli.group(invoke_without_command=True)
@click.pass_context
def assets(context: click.Context) -> None:
    """Show the third-party files that are pinned, and which of them are cached where."""
    if context.invoked_subcommand is None:
        from .asset_table import show

        show()


@assets.command()
@click.argument("names", nargs=-1)
def pull(names: tuple[str, ...]) -> None:
    """Fetch pinned files ahead of time (all of them unless NAMES are given)."""
    from . import assets as pinned

    for path in pinned.pull(names or None, report=say):
        click.echo(path)


@cli.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Folder with the motion-capture tables."
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
    """Train a lifter on motion capture seen through virtual cameras.

    CONFIG is a YAML file such as configs/lifting/default.yaml. The output folder gets lifter.safetensors,
    curves.png and, while it runs, checkpoint.pt.
    """
    from .train import run

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
    click.echo(path)


if __name__ == "__main__":
    main()
