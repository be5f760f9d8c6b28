"""The list that `videopose assets` prints."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ..downloads.assets import ASSETS, cache_folder, cached


def show() -> None:
    """Print every pinned file with its package, licence and place in the cache."""
    table = Table("file", "what", "from", "licence", "cached")
    for name, asset in ASSETS.items():
        table.add_row(name, asset.what, str(asset.package), asset.licence, "yes" if cached(name) else "no")
    console = Console()
    console.print(table)
    console.print(f"cache: {cache_folder()}", soft_wrap=True, markup=False)
    console.print("`videopose assets pull` fetches what is missing; VIDEOPOSE_CACHE moves the cache.")
