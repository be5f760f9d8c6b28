"""Commands whose help lists options under headings and ends with examples."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]


def under(heading: str, *options: Decorator[Any]) -> Decorator[Any]:
    """Give a command these options, in this order, under a heading of its help."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
            function.__click_params__[-1].heading = heading
        return function

    return decorate


def together(*options: Decorator[Any]) -> Decorator[Any]:
    """Give a command several groups of options, in this order."""

    def decorate(function: Any) -> Any:
        for group in reversed(options):
            function = group(function)
        return function

    return decorate


if TYPE_CHECKING:
    _PathType = click.ParamType[Path]
else:  # it takes no type argument before click 8.2
    _PathType = click.ParamType


class FilePath(_PathType):
    """A path as the user gave it. An empty text is refused: it would mean the current folder."""

    name = "path"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Path:
        """Return the path."""
        if not os.fspath(value):
            self.fail("expected a name, found an empty one; is a variable not set?", parameter, context)
        return Path(value)


class Command(click.Command):
    """A command whose help lists options under headings and ends with examples.

    Args:
        examples: Command lines, each with an optional comment behind `#`.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.examples = tuple(examples)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. An option whose value may be left out takes the next word only if it is one.

        Click alone would take the file's name in `--adapt video.mp4` as the value of --adapt.
        """
        choices = {
            spelling: (parameter.type.choices, parameter.flag_value)
            for parameter in self.get_params(context)
            if isinstance(parameter, click.Option) and isinstance(parameter.type, click.Choice)
            for spelling in parameter.opts
            if parameter.flag_value in parameter.type.choices
        }
        given: list[str] = []
        for word, following in zip_longest(args, args[1:]):
            values, default = choices.get(word, ((), None))
            alone = word in choices and "--" not in given and following not in values
            given.append(f"{word}={default}" if alone else word)
        return super().parse_args(context, given)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by heading. Headings are in the order of their first options; --help is last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "heading", "Help"), []).append(record)
        for heading, records in sorted(sections.items(), key=lambda section: section[0] == "Help"):
            with formatter.section(heading):
                formatter.write_dl(records)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, one a line; they are not wrapped, so that they can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")
        super().format_epilog(context, formatter)


class Group(Command, click.Group):
    """A group of commands with examples."""

    command_class = Command

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(context, formatter)
        self.format_commands(context, formatter)


def command(name: str | None = None, *, examples: Sequence[str]) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a `Command`."""
    return click.command(name, cls=Command, examples=examples)
