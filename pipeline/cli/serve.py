"""The command `serve`."""

from __future__ import annotations

from pathlib import Path

import click

from .command import FilePath, command, under


@command(
    examples=(
        "videopose serve",
        "videopose serve --folder my-videos --port 0",
        "videopose serve --no-open --max-size 500",
    )
)
@under(
    "Output",
    click.option(
        "--folder",
        type=FilePath(),
        default=Path("videopose-serve"),
        metavar="FOLDER",
        show_default=True,
        help="Where videos and results are kept.",
    ),
    click.option(
        "--max-size",
        type=float,
        default=2000.0,
        show_default=True,
        metavar="MB",
        help="Size of a video, at most.",
    ),
)
@under(
    "Run",
    click.option(
        "--port",
        type=int,
        default=8421,
        show_default=True,
        metavar="NUMBER",
        help="Port of 127.0.0.1; 0 takes any that is free.",
    ),
    click.option("--no-open", is_flag=True, help="Print the address only; open no browser."),
)
def serve(folder: Path, max_size: float, port: int, no_open: bool) -> None:
    """Serve a local page: drop a video, download its motion.

    The page is for this machine only: it is served at 127.0.0.1, and its address has a token. One video is
    worked on at a time, the others wait. Needs: pip install 'videopose[serve]'
    """
    from ..serve.server import ServeOptions
    from ..serve.server import serve as start

    start(ServeOptions(folder=folder, max_size=max_size, port=port, open_it=not no_open))
