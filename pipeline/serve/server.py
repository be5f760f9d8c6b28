"""Start the local page: take a port, print the address, and answer until the user interrupts."""

from __future__ import annotations

import webbrowser
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ..paths import check_writable
from ..progress import say
from ..web.address import listen, require_server, run

DEFAULT_PORT = 8421


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How the page is served.

    Attributes:
        folder: Where videos and results are kept.
        port: The port of 127.0.0.1; 0 for any that is free.
        max_size: Megabytes of a video, at most.
        open_it: Whether to open the page in the browser.

    Raises:
        UsageError: A value is out of range.
    """

    folder: Path
    port: int = DEFAULT_PORT
    max_size: float = 2000.0
    open_it: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.max_size <= 100_000:
            raise UsageError(f"--max-size takes megabytes from 0 to 100000, found {self.max_size:g}")


def serve(options: ServeOptions) -> None:
    """Serve the page until the user interrupts (Ctrl-C). A job that runs then is stopped.

    Raises:
        UsageError: The port is taken, or starlette and uvicorn are not installed.
        OutputError: The folder cannot be written.
    """
    require_server("`videopose serve`")
    from ..web.guard import guarded
    from .app import make_app
    from .clips import ClipFolder
    from .job_queue import JobQueue

    check_writable(options.folder, "--folder")
    address = listen(options.port)
    with ExitStack() as stack:
        stack.enter_context(address.socket)
        clips = ClipFolder.open(options.folder)
        queue = stack.enter_context(JobQueue(clips))
        app = guarded(make_app(clips, queue, largest=round(options.max_size * 1e6)), address)
        print(address.url, flush=True)
        say(f"Open this address in a browser on this machine; Ctrl-C ends. Files are in {options.folder}.")
        if options.open_it:
            webbrowser.open(address.url)
        try:
            run(app, address)
        except KeyboardInterrupt:
            say("ended")
