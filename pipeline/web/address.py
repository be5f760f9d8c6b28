"""The address of a local server: a port of 127.0.0.1, and a token that only the user has."""

from __future__ import annotations

import secrets
import socket
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
_GRACE = 2  # seconds that open connections are given when the server ends


@dataclass(frozen=True)
class Address:
    """Where a server listens.

    Attributes:
        socket: It is bound to a port of 127.0.0.1 already, so that no other program takes the port.
        token: The first part of every path.
    """

    socket: socket.socket
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def port(self) -> int:
        """The port."""
        return int(self.socket.getsockname()[1])

    @property
    def url(self) -> str:
        """The address for the browser, with the token."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def admits(self, host: str | None, origin: str | None) -> bool:
        """Whether a request comes from a page of this server.

        Another site whose name was made to point at this machine sends its own name (DNS rebinding).

        Args:
            host: The request's Host header.
            origin: Its Origin header; None if the browser sent none.
        """
        hosts = (f"{HOST}:{self.port}", f"localhost:{self.port}")
        return host in hosts and (origin is None or origin in [f"http://{each}" for each in hosts])

    def without_token(self, path: str) -> str | None:
        """Return what follows the token in a path, or None if the path does not begin with the token."""
        token, _, rest = path.removeprefix("/").partition("/")
        return rest if secrets.compare_digest(token.encode(), self.token.encode()) else None


def listen(port: int) -> Address:
    """Take a port of 127.0.0.1.

    Args:
        port: The port; 0 for any that is free.

    Raises:
        UsageError: The port is taken or not allowed.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"--port takes a number from 0 to 65535, found {port}")
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there, it would let two servers share the port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((HOST, port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise UsageError(
            f"port {port} cannot be used ({error.strerror}); --port takes another one, 0 any that is free"
        ) from error
    return Address(taken)


def run(app: ASGIApp, address: Address) -> None:
    """Answer requests until the user interrupts (Ctrl-C)."""
    make_server(app).run(sockets=[address.socket])


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return the server of an application. It ends soon after its `should_exit` is set."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="auto",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return uvicorn.Server(config)


def require_server(command: str) -> None:
    """Raise `UsageError` if starlette or uvicorn is not installed. command: what needs them."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UsageError(f"{command} needs {' and '.join(missing)}: pip install 'videopose[serve]'")
