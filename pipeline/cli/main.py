"""The list of all commands, and the entry point."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
from importlib import import_module

import click

from ..process import TerminatedError, check_printed, ended_by_signals, lasting_streams

COMMANDS = {
    "Motion from video": {
        "infer": "Turn videos into 3D motion.",
        "detect": "Find and follow people: the first half of infer.",
        "lift": "Lift what detect found: the second half of infer.",
        "people": "Show who is in a video: a contact sheet.",
        "live": "Lift a camera live: frame in, pose out.",
        "view": "Write a page to look at a pose table in the browser.",
        "render": "Draw an animation of a pose table, a still, or a sheet of stills.",
        "export": "Write the motion in a pose table as files for other programs.",
        "angles": "Print the ranges of people's joint angles, and draw their curves.",
        "compare": "Show several motions of one video side by side.",
        "serve": "Serve a local page: drop a video, download its motion.",
        "demo": "Fetch a sample clip and run infer on it.",
    },
    "Training": {
        "train": "Train a lifter on motion capture or recordings.",
        "semi-train": "Train a lifter on your own videos, without labels.",
        "finetune-detector": "Train a detector on annotated images.",
        "prepare": "Make training and evaluation files from datasets.",
    },
    "Evaluation": {
        "evaluate": "Measure a lifter's errors, in millimetres.",
        "evaluate-detector": "Measure a detector's average precision.",
        "inspect": "Describe a lifter.",
    },
    "Installation": {
        "assets": "Show or fetch the pinned third-party files.",
        "install": "Install what some detectors need.",
    },
}
"""Every command with its summary, by heading. A summary is the first line of the command's own help."""

_FILES = {"detect": "infer", "lift": "infer", "demo": "infer", "inspect": "evaluate"} | {
    "finetune-detector": "detectors",
    "evaluate-detector": "detectors",
}
"""The file of each command that is not in a file of its own name."""

_EXIT_CODES = """\b
Exit codes:
  0  done                          4  no person was found in the video
  1  a bug (please report it)      5  a result cannot be written
  2  wrong option or name          6  a pinned download is missing
  3  a file cannot be read         7  some of several inputs failed
                                   8  memory ran out

`videopose COMMAND --help` explains a command.
"""


class CommandLine(click.Group):
    """The group of all commands. A command's file is imported when the command is used."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return [name for commands in COMMANDS.values() for name in commands]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import and return a command; None if there is no command of that name."""
        if name not in self.list_commands(context):
            return None
        attribute = name.replace("-", "_")
        module = import_module(f".{_FILES.get(name, attribute)}", __package__)
        command: click.Command = getattr(module, attribute)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries under headings."""
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()))


@click.group(
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EXIT_CODES,
)
@click.version_option(package_name="videopose")
@click.option("--debug", is_flag=True, help="Show tracebacks and the messages of libraries.")
def cli(debug: bool) -> None:
    """Turn ordinary video of people into their motion in 3D."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit. An error is one line on stderr; `--debug` adds its traceback.

    SIGTERM and SIGHUP end the command as Ctrl-C does. If stdout or stderr is closed, the command goes on;
    if what is printed does not fit on a disk, it fails at its end.
    """
    with lasting_streams(), ended_by_signals():
        _main(arguments)


def _main(arguments: list[str] | None) -> None:
    from ..downloads.cache import keep_other_caches_inside
    from ..progress import say
    from .error_report import report_error

    keep_other_caches_inside()
    arguments = sys.argv[1:] if arguments is None else arguments
    if "--debug" in arguments:  # accepted behind the command's name, too
        arguments = ["--debug", *(a for a in arguments if a != "--debug")]
    command = shlex.join(["videopose", *arguments])
    try:
        status = cli.main(arguments, prog_name="videopose", standalone_mode=False, obj=command)
        if not status:
            check_printed()
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        say("interrupted; nothing half-written was left")
        cause = error.__cause__ or error  # click turns the one into the other
        sys.exit(128 + (cause.number if isinstance(cause, TerminatedError) else signal.SIGINT))
    except Exception as error:
        sys.exit(report_error(error, debug="--debug" in arguments))


if __name__ == "__main__":
    main()
