"""Write the page of commands while the site is built: every command's own help, as the terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

PAGE, MARK = "commands.md", "<!-- commands -->"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Replace the mark in the page of commands."""
    if page.file.src_uri != PAGE:
        return markdown
    from videopose.pipeline.cli.main import cli

    assert MARK in markdown, f"{PAGE} has no line {MARK}"
    return markdown.replace(MARK, "\n\n".join(_sections(cli, click.Context(cli, info_name="videopose"))))


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a command's help, then that of its subcommands."""
    context.terminal_width = context.max_content_width = 110
    level = 2 if context.parent is None or context.parent.parent is None else 3
    yield f"{'#' * level} {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _sections(inner, click.Context(inner, info_name=name, parent=context))
