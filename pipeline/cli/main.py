"""The command line: it parses, calls, and turns errors into one line and an exit code."""

from __future__ import annotations

import logging
import shlex
import sys
from functools import partial
from pathlib import Path

import click

from ..progress import say, terminal
from . import (
    detectors as detector_cli,
)
from . import (
    evaluate as lifter_cli,
)
from . import (
    infer as infer_cli,
)
from . import (
    install as install_cli,
)
from . import (
    prepare as prepare_cli,
)
from . import (
    semi_train as semi_cli,
)
from .error_report import complain

_EXIT_CODES = """\b
Exit codes:
  0  done                          4  nobody was found in the video
  1  a bug (please report it)      5  a result cannot be written
  2  wrong option or name          6  a pinned download is missing
  3  a file cannot be read         7  some of several inputs failed
"""


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


def _size(context: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter("give WIDTHxHEIGHT in pixels, such as 1200x600")
    return int(width), int(height)


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
    from ...render.views import DEFAULT_VIEWS, parse_view
    from ..inference.run_files import redraw

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
    from ..downloads import assets as pinned

    for path in pinned.pull(names or None, report=say):
        click.echo(path)


@cli.command()
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


for command in (
    *infer_cli.COMMANDS,
    *lifter_cli.COMMANDS,
    *prepare_cli.COMMANDS,
    *detector_cli.COMMANDS,
    *semi_cli.COMMANDS,
    *install_cli.COMMANDS,
):
    cli.add_command(command)
for command in detector_cli.PREPARE_COMMANDS:
    prepare_cli.prepare.add_command(command)

if __name__ == "__main__":
    main()
