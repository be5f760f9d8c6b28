"""Encode messages of Open Sound Control 1.0, and send them by UDP."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from ...errors import UsageError

Argument = int | float | str
_IMMEDIATELY = struct.pack(">Q", 1)  # the time tag of a bundle that is valid at once


def message(address: str, *arguments: Argument) -> bytes:
    """Return one message: whole numbers as int32, other numbers as float32, texts as they are."""
    tags, values = ",", b""
    for argument in arguments:
        if isinstance(argument, str):
            tags, values = tags + "s", values + _text(argument)
        elif isinstance(argument, int):
            tags, values = tags + "i", values + struct.pack(">i", argument)
        else:
            tags, values = tags + "f", values + struct.pack(">f", argument)
    return _text(address) + _text(tags) + values


def bundle(messages: Sequence[bytes]) -> bytes:
    """Return a bundle of messages that belong together."""
    return b"#bundle\0" + _IMMEDIATELY + b"".join(struct.pack(">i", len(each)) + each for each in messages)


def _text(text: str) -> bytes:
    """A text, ended by a zero and padded to a multiple of four bytes."""
    data = text.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)


def parse_target(target: str) -> tuple[str, int]:
    """Return the host and the port of HOST:PORT.

    Raises:
        UsageError: The text is something else.
    """
    host, _, port = target.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise UsageError(f"--osc takes HOST:PORT, such as 127.0.0.1:39539, found {target!r}")
    return host.strip("[]"), int(port)


class OscSender:
    """Sends packets to one address by UDP. It does not know whether a program listens there.

    Args:
        target: HOST:PORT.

    Raises:
        UsageError: The target is not an address.
    """

    def __init__(self, target: str) -> None:
        host, port = parse_target(target)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise UsageError(f"--osc {target}: the host {host} is not known ({error})") from error
        self._address = found[0][4]
        self._socket = socket.socket(found[0][0], socket.SOCK_DGRAM)

    def send(self, packet: bytes) -> None:
        """Send one packet. A host that cannot be reached is no error: it may come back."""
        with suppress(OSError):
            self._socket.sendto(packet, self._address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
