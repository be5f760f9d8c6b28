"""Serve the page of `videopose live` to browsers on this machine.

The server listens on 127.0.0.1 only. The address of the page contains a token, so that other users of the
machine and other pages in the browser cannot see the camera's picture.
"""

from __future__ import annotations

import json
import struct
import threading
from http import HTTPStatus
from urllib.parse import urlsplit

import cv2
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from ...render.page import build_live_document, skeleton_data
from ..web.address import listen
from ..web.three import three_library
from .live_poses import LivePoses
from .live_world import LiveWorld

_LONGEST_SIDE = 960  # pixels of the picture on the page
_QUALITY = 80  # of JPEG


class PageServer:
    """Serves the page, and sends each browser the newest frame as soon as it has shown the one before.

    Args:
        title: The heading of the page.
        port: Port to listen on; 0 for a free one.

    Attributes:
        url: The address of the page, with its token.

    Raises:
        UsageError: The port is taken.
        AssetError: three.js cannot be fetched.
    """

    def __init__(self, title: str, port: int = 0) -> None:
        page = build_live_document(title=title, data=skeleton_data(), library=three_library())
        self._page = page.encode()
        self._world = LiveWorld()
        self._newest: tuple[int, LivePoses, bytes] | None = None
        self._sent: tuple[int, bytes] | None = None
        self._ended, self._watching = False, 0
        self._change, self._encoding = threading.Condition(), threading.Lock()
        self._address = address = listen(port)
        self.url = address.url
        self._server: Server = serve(
            self._send_frames, sock=address.socket, process_request=self._answer, compression=None
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    def show(self, poses: LivePoses) -> None:
        """Take the next frame; browsers that are open get it."""
        placed = self._world.joints(poses)
        if not self._watching:
            return
        people = [
            {
                "track": person.track,
                "joints": np.round(placed[person.track], 4).ravel().tolist()
                if person.track in placed
                else None,
                "confidence": np.ceil(person.confidence * 255).astype(int).tolist(),
                "keypoints": np.round(person.keypoints, 2).ravel().tolist(),
            }
            for person in poses.people
        ]
        height, width = poses.image.shape[:2]
        text = json.dumps(
            {
                "frame": poses.frame,
                "size": [width, height],
                "ms": poses.detect_ms + poses.lift_ms,
                "dropped": poses.dropped,
                "people": people,
            },
            allow_nan=False,
        ).encode()
        with self._change:
            self._newest = poses.frame, poses, text
            self._change.notify_all()

    def close(self) -> None:
        """Close all connections and stop listening."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        self._server.shutdown()
        self._thread.join(2.0)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request: the page, an error, or None for the WebSocket."""
        if not self._address.admits(request.headers.get("Host"), request.headers.get("Origin")):
            return _text(connection, HTTPStatus.FORBIDDEN, "This page is for browsers on this machine only.")
        rest = self._address.without_token(urlsplit(request.path).path)
        if rest is None:
            return _text(
                connection,
                HTTPStatus.FORBIDDEN,
                "The token in the address is missing or wrong. Open the address that videopose live printed.",
            )
        if rest == "frames":
            return None
        if rest:
            return _text(connection, HTTPStatus.NOT_FOUND, "There is no such page.")
        response = _text(connection, HTTPStatus.OK, "")
        response.body = self._page
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(self._page))),
        ):
            del response.headers[name]
            response.headers[name] = value
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _send_frames(self, connection: ServerConnection) -> None:
        """Send one browser the newest frame, again and again, until it closes or the camera ends."""
        sent = -1
        with self._change:
            self._watching += 1
        try:
            while True:
                with self._change:
                    while not self._ended and (self._newest is None or self._newest[0] == sent):
                        self._change.wait(1.0)
                    if self._ended or self._newest is None:
                        return
                    newest = self._newest
                sent = newest[0]
                connection.send(self._encoded(newest))
                connection.recv()  # the browser has shown it
        except ConnectionClosed:
            return
        finally:
            with self._change:
                self._watching -= 1

    def _encoded(self, frame: tuple[int, LivePoses, bytes]) -> bytes:
        """Return the message of a frame. It is encoded once for all browsers."""
        number, poses, text = frame
        with self._encoding:
            if self._sent is None or self._sent[0] != number:
                image = poses.image
                scale = _LONGEST_SIDE / max(image.shape[:2])
                if scale < 1:
                    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
                _, jpeg = cv2.imencode(
                    ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
                )
                self._sent = number, struct.pack(">I", len(text)) + text + jpeg.tobytes()
            return self._sent[1]


def _text(connection: ServerConnection, status: HTTPStatus, text: str) -> Response:
    return connection.respond(status, text + "\n")
