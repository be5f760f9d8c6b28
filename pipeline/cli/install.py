"""The commands that bring in what a plain installation leaves out: `install detectron2`."""

from __future__ import annotations

import click

from ..progress import say


@click.group()
def install() -> None:
    """Bring in what some detectors need and a plain installation leaves out."""


@install.command()
def detectron2() -> None:
    """Install detectron2 into this Python environment, for `--detector mask-rcnn`.

    One that is installed already is left alone. `pip uninstall detectron2` takes it away again.
    """
    from ..downloads.detectron2 import install

    click.echo(install(say))


COMMANDS = (install,)
