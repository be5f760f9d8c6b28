import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from videopose.errors import UsageError
from videopose.pipeline.live import page_server
from videopose.pipeline.live.live_poses import LivePerson, LivePoses
from videopose.pipeline.live.page_server import PageServer
from videopose.render.page import Library

LIBRARY = Library({"three": "export default 1;"}, {}, "a licence")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PageServer]:
    monkeypatch.setattr(page_server, "three_library", lambda: LIBRARY)
    server = PageServer("a <camera>")
    yield server
    server.close()


def poses(frame: int) -> LivePoses:
    random = np.random.default_rng(frame)
    person = LivePerson(
        3,
        random.uniform(0, 600, (17, 3)).astype(np.float32),
        random.normal(0, 0.4, (17, 3)).astype(np.float32),
        np.array([0, 0, 4], np.float32),
        np.linspace(0, 1, 17, dtype=np.float32),
    )
    return LivePoses(frame, frame / 30, np.full((720, 1280, 3), 90, np.uint8), (person,), 20.0, 1.5, 2)


def frames_address(server: PageServer) -> str:
    return server.url.replace("http:", "ws:") + "frames"


def status(url: str, **headers: str) -> int:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def keep_showing(server: PageServer) -> threading.Event:
    """Show frames until the event is set."""
    stop = threading.Event()

    def show() -> None:
        frame = 0
        while not stop.is_set():
            server.show(poses(frame))
            frame += 1
            time.sleep(0.01)

    threading.Thread(target=show, daemon=True).start()
    return stop


def test_the_page(server: PageServer) -> None:
    with urlopen(server.url, timeout=10) as answer:
        page = answer.read().decode()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
    assert "<title>a &lt;camera&gt;</title>" in page
    assert "videopose/live.js" in page
    assert "connect-src 'self'" in page
    assert server.url.startswith("http://127.0.0.1:")


def test_a_frame_reaches_two_browsers(server: PageServer) -> None:
    stop = keep_showing(server)
    with connect(frames_address(server)) as one, connect(frames_address(server)) as two:
        for browser in (one, two):
            message = browser.recv(timeout=20)
            (length,) = struct.unpack(">I", message[:4])
            frame = json.loads(message[4 : 4 + length])
            assert frame["size"] == [1280, 720]
            assert (frame["dropped"], frame["ms"]) == (2, 21.5)
            (person,) = frame["people"]
            assert person["track"] == 3
            assert len(person["joints"]) == len(person["keypoints"]) == 51
            assert person["confidence"][0] == 0
            assert person["confidence"][16] == 255
            picture = cv2.imdecode(np.frombuffer(message[4 + length :], np.uint8), cv2.IMREAD_COLOR)
            assert picture.shape == (540, 960, 3)
            assert abs(int(picture.mean()) - 90) < 3
        time.sleep(0.2)
        one.send("next")
        later = json.loads(one.recv(timeout=20)[4:].split(b"\xff\xd8")[0])
        assert later["frame"] > frame["frame"] + 5  # the newest, not the next
    stop.set()


def test_a_browser_that_closes_in_the_middle_disturbs_no_other(server: PageServer) -> None:
    stop = keep_showing(server)
    with connect(frames_address(server)) as stays:
        with connect(frames_address(server)) as rude:
            rude.recv(timeout=20)
            rude.socket.shutdown(socket.SHUT_RDWR)
        for _ in range(5):
            stays.recv(timeout=20)
            stays.send("next")
    stop.set()


def test_closing_ends_the_connections(server: PageServer) -> None:
    stop = keep_showing(server)
    with connect(frames_address(server)) as browser:
        browser.recv(timeout=20)
        stop.set()
        begin = time.monotonic()
        server.close()
        assert time.monotonic() - begin < 10
        assert len(list(browser)) < 100  # what was sent before; then the connection ends


def test_who_is_not_let_in(server: PageServer) -> None:
    port = server.url.split(":")[2].split("/")[0]
    plain = f"http://127.0.0.1:{port}/"
    assert status(server.url) == 200
    assert status(plain) == 403
    assert status(plain + "wrong/") == 403
    assert status(server.url + "other") == 404
    assert status(server.url, Host="example.com") == 403
    assert status(server.url, Origin="https://example.com") == 403
    for address in (frames_address(server) + "x", f"ws://127.0.0.1:{port}/wrong/frames"):
        with pytest.raises(InvalidStatus), connect(address):
            pass
    with pytest.raises(InvalidStatus), connect(frames_address(server), origin="https://example.com"):
        pass


def test_a_port_that_is_taken(server: PageServer) -> None:
    port = int(server.url.split(":")[2].split("/")[0])
    with pytest.raises(UsageError, match=f"port {port} cannot be used .*--port takes another one"):
        PageServer("again", port)


def test_without_a_browser_nothing_is_encoded(server: PageServer) -> None:
    server.show(poses(0))
    assert server._newest is None
