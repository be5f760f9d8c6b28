"""The guard before every request: it must come from this machine's own page, which knows the token."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .address import Address

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the path holds the token
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_REFUSAL = """<!doctype html><html lang="en"><meta charset="utf-8"><title>videopose</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>This address is not complete</h1>
<p>Expected the address that videopose printed when it started, with the token in it. Copy the whole line from
the terminal. After a restart, the token is another one.</p>"""


def guarded(app: ASGIApp, address: Address) -> ASGIApp:
    """Return the application behind a guard.

    A request is refused if its path does not begin with the token, or if its Host header is another than the
    address: another site whose name was made to point at this machine cannot use the server (DNS rebinding).
    WebSockets are guarded, too; so is their Origin header.

    Args:
        app: Sees paths without the token.
        address: The server's address.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        rest = address.without_token(scope["path"])
        # Without the slash after the token, the links of the page would miss the token.
        whole = "/" in scope["path"].removeprefix("/")
        if rest is None or not whole or not address.admits(headers.get("host"), headers.get("origin")):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await HTMLResponse(_REFUSAL, 403, headers=_HEADERS)(scope, receive, send)
            return
        inner = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), "root_path": ""}
        await app(inner, receive, _with_headers(send, _HEADERS))

    return guard


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Add headers to the answer."""
    added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in added}
            kept = [pair for pair in message.get("headers", []) if pair[0] not in names]
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    return sending
