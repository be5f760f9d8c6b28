"""The command line: it parses, calls, and turns errors into one line and an exit code."""

from __future__ import annotations

import logging
import shlex
import sys

import click

from ..progress import say
from . import assets, detectors, evaluate, export, infer, install, prepare, render, semi_train, train
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


for command in (
    *infer.COMMANDS,
    render.render,
    export.export,
    *semi_train.COMMANDS,
    train.train,
    *evaluate.COMMANDS,
    *detectors.COMMANDS,
    *prepare.COMMANDS,
    *install.COMMANDS,
    assets.assets,
):
    cli.add_command(command)
for command in detectors.PREPARE_COMMANDS:
    prepare.prepare.add_command(command)

if __name__ == "__main__":
    main()
