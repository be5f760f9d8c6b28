"""The commands that install what a plain installation leaves out: `install detectron2`."""

from __future__ import annotations

import click

from ..progress import say
from .command import Group


@click.group(cls=Group, examples=("videopose install detectron2",))
def install() -> None:
    """Install what some detectors need."""


@install.command(
    examples=(
        "videopose install detectron2",
        "videopose infer video.mp4 --detector mask-rcnn  # what it is for",
        "pip uninstall detectron2  # removes it",
    )
)
def detectron2() -> None:
    """Install detectron2, for --detector mask-rcnn.

    It is installed into the Python environment of videopose. A detectron2 that is installed already stays as
    it is.
    """
    from ..downloads.detectron2 import install

    click.echo(install(say))
