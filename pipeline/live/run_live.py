"""The command `videopose live`: read a camera, lift its people, and show them until the camera ends."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack

from ..process import strict
from ..progress import say
from .camera import name_of
from .options import LiveOptions, OutputOptions
from .osc import OscSender
from .outputs import InBackground, JsonLines, Output, Vmc
from .session import LiveSession


def run_live(options: LiveOptions, outputs: OutputOptions) -> None:
    """Read a camera and show the poses of its people, until it ends or the user interrupts.

    Raises:
        UsageError: An option, a port or the lifter cannot be used.
        InputError: The camera cannot be opened, or goes away.
        AssetError: A file of the detector or of the page cannot be fetched.
    """
    with ExitStack() as stack:
        opened, page = _open(outputs, name_of(options.camera), stack)
        session = stack.enter_context(LiveSession(options, say))
        say(f"{session.name}: loading …")
        session.load()
        if page is not None:
            say(f"→ {page}  (Ctrl-C ends)")
            if outputs.open:
                webbrowser.open(page)
        _show(session, opened)


def _show(session: LiveSession, outputs: Sequence[Output]) -> None:
    """Give each frame to all outputs until the camera ends, the reader of stdout goes away, or Ctrl-C."""
    count, spent = 0, 0.0
    try:
        for poses in session.frames():
            for output in outputs:
                output.show(poses)
            count, spent = count + 1, spent + poses.detect_ms + poses.lift_ms
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # what is left cannot be flushed at exit
    finally:
        usual = f", {spent / count:.0f} ms a frame" if count else ""
        say(f"{session.name}: {count} frames lifted, {session.dropped} dropped{usual}")


def _open(options: OutputOptions, name: str, stack: ExitStack) -> tuple[list[Output], str | None]:
    """Open the outputs, which `stack` closes; return also the address of the page, if there is one."""
    outputs: list[Output] = []
    page: str | None = None

    def add(output: Output) -> None:
        outputs.append(output)
        stack.callback(output.close)

    if options.json:
        add(JsonLines(strict(sys.stdout)))  # live ends if nobody reads the lines
    if options.osc is not None:
        add(InBackground(Vmc(OscSender(options.osc))))  # bones take longer than poses
    if options.page:
        from .page_server import PageServer  # loads websockets

        server = PageServer(name, options.port)
        add(server)
        page = server.url
    return outputs, page
