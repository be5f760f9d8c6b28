"""The command `live`."""

from __future__ import annotations

from typing import Any

import click

from .command import command, under
from .options import CAMERA_OPTIONS, DEVICE_OPTION, settings


@command(
    examples=(
        "videopose live --open",
        "videopose live --camera 1 --people 2 --osc 127.0.0.1:39539",
        "videopose live --camera rtsp://192.168.1.20/stream --json --no-page",
    )
)
@under(
    "Input",
    click.option(
        "--camera",
        default="0",
        show_default=True,
        metavar="NUMBER|FILE|URL",
        help="A camera of this machine, a stream, or a video read as if it were a camera.",
    ),
    click.option(
        "--every-frame",
        is_flag=True,
        help="For a file: lift every frame, however long it takes. Otherwise frames that come too fast are "
        "dropped.",
    ),
)
@under(
    "People",
    click.option(
        "--people", default=1, show_default=True, metavar="N", help="How many people are followed at once."
    ),
    click.option("--detector", metavar="NAME", help="What finds people.  [default: movenet]"),
)
@CAMERA_OPTIONS
@under(
    "Lifting",
    click.option(
        "--lifter",
        default="causal",
        show_default=True,
        metavar="NAME|FILE",
        help="A causal lifter: it looks at the past only.",
    ),
    click.option(
        "--no-flip", is_flag=True, help="Do not average with the mirrored person: faster, less accurate."
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="bfloat16 is faster on processors made for it.",
    ),
)
@under(
    "Output",
    click.option("--json", is_flag=True, help="Write one line a frame to stdout."),
    click.option(
        "--osc",
        metavar="HOST:PORT",
        help="Send a person's bones by VMC, to avatars and game engines; they usually listen at port 39539.",
    ),
    click.option("--no-page", is_flag=True, help="Serve no page."),
    click.option(
        "--port", default=0, metavar="NUMBER", help="Port of the page, at 127.0.0.1.  [default: a free one]"
    ),
    click.option("--open", is_flag=True, help="Open the page in the browser."),
)
@DEVICE_OPTION
def live(no_page: bool, **options: Any) -> None:
    """Lift a camera live: frame in, pose out.

    A page at 127.0.0.1 shows picture and 3D as they come; its address is printed. Ctrl-C ends.
    """
    from ..live.options import LiveOptions, OutputOptions
    from ..live.run_live import run_live

    run_live(settings(LiveOptions, options), settings(OutputOptions, {**options, "page": not no_page}))
