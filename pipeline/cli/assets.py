"""The commands `assets` and `assets pull`."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from ..downloads.assets import ASSETS, cache_folder, cached
from ..progress import say


@click.group(invoke_without_command=True)
@click.pass_context
def assets(context: click.Context) -> None:
    """Show the third-party files that are pinned, and which of them are cached where."""
    if context.invoked_subcommand is None:
        show()


@assets.command()
@click.argument("names", nargs=-1)
def pull(names: tuple[str, ...]) -> None:
    """Fetch pinned files ahead of time (all of them unless NAMES are given)."""
    from ..downloads import assets as pinned

    for path in pinned.pull(names or None, report=say):
        click.echo(path)


def show() -> None:
    """Print every pinned file with its package, licence and place in the cache."""
    table = Table("file", "what", "from", "licence", "cached")
    for name, asset in ASSETS.items():
        table.add_row(name, asset.what, str(asset.package), asset.licence, "yes" if cached(name) else "no")
    console = Console()
    console.print(table)
    console.print(f"cache: {cache_folder()}", soft_wrap=True, markup=False)
    console.print("`videopose assets pull` fetches what is missing; VIDEOPOSE_CACHE moves the cache.")
