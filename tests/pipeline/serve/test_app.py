"""Requests to the server, as a page or somebody else would send them."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from videopose.pipeline.serve.app import make_app
from videopose.pipeline.serve.clips import ClipFolder
from videopose.pipeline.serve.job_queue import JobQueue
from videopose.pipeline.web.address import Address, listen, make_server
from videopose.pipeline.web.guard import guarded

FOUND = 'print(\'{"people": [{"id": 4, "picture": "person-4.jpg"}]}\'); print(\'{"done": true}\')'


class Server:
    def __init__(self, folder: Path, address: Address) -> None:
        self.folder, self.address = folder, address

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.address.port, timeout=30)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        try:
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def api(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        status, data, _ = self.ask(method, f"/{self.address.token}/api/{path}", body)
        return status, json.loads(data) if data else None

    def clips(self) -> Any:
        return self.api("GET", "clips")[1]

    def wait(self, state: str) -> Any:
        end = time.monotonic() + 30
        while True:
            clips = self.clips()
            if clips and clips[0]["state"] == state:
                return clips[0]
            assert time.monotonic() < end, clips
            time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that takes 1,000 bytes and whose jobs find one person at once."""
    folder = tmp_path / "served"
    clips, address = ClipFolder.open(folder), listen(0)
    with JobQueue(clips, lambda *_: [sys.executable, "-c", FOUND]) as queue:
        answering = make_server(guarded(make_app(clips, queue, largest=1000), address))
        thread = threading.Thread(target=answering.run, kwargs={"sockets": [address.socket]})
        thread.start()
        try:
            yield Server(folder, address)
        finally:
            answering.should_exit = True
            thread.join(10)
            address.socket.close()


def test_only_the_address_with_the_token_is_answered(server: Server) -> None:
    token, port = server.address.token, server.address.port
    assert server.ask("GET", f"/{token}/")[0] == 200
    for path in ("/", "/wrong/", f"/{token}", f"/{token}x/", "//", f"/x/{token}/", "/wrong/api/clips"):
        status, page, _ = server.ask("GET", path)
        assert status == 403, path
        assert b"Expected the address that videopose printed" in page
    for headers in ({"Host": f"evil.example:{port}"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert server.ask("POST", f"/{token}/api/clips?name=a.mp4", b"x", headers)[0] == 403
    assert server.ask("GET", f"/{token}/", headers={"Host": f"localhost:{port}"})[0] == 200
    assert server.clips() == []


def test_the_page_says_where_it_may_go(server: Server) -> None:
    status, page, headers = server.ask("GET", f"/{server.address.token}/")
    assert status == 200
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert b"default-src 'none'" in page
    status, _, headers = server.ask("GET", f"/{server.address.token}/static/theme.js")
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/javascript")
    for name in ("..%2Fapp.py", "nothing.js", "__init__.py"):
        assert server.ask("GET", f"/{server.address.token}/static/{name}")[0] == 404


def test_a_video_is_kept_and_its_people_are_found(server: Server) -> None:
    assert server.api("POST", "clips?name=../my%20clip.mp4", b"film")[0] == 201
    clip = server.wait("choose")
    assert clip["name"] == "my clip.mp4"
    assert (server.folder / clip["id"] / "my clip.mp4").read_bytes() == b"film"
    for people in ("[]", "[7]", "[true]", '["4"]', "4", ""):
        body = f'{{"people": {people}}}'.encode()
        status, answer = server.api("POST", f"clips/{clip['id']}/motion", body)
        assert (status, answer["error"]) == (400, "choose at least one of the people who were found")
    assert server.api("POST", f"clips/{clip['id']}/motion", b'{"people": [4, 4]}')[0] == 200
    assert server.wait("done")["chosen"] == [4]
    assert server.api("DELETE", f"clips/{clip['id']}")[0] == 204
    assert list(server.folder.iterdir()) == []
    assert server.api("POST", f"clips/{clip['id']}/cancel") == (404, {"error": "this video was removed"})


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("a.mp4", b"x" * 1001, 413, "larger than 0 MB"),
        ("a.mp4", b"", 400, "the file is empty"),
        ("a.txt", b"x", 400, "expected a video"),
        ("", b"x", 400, "expected a video"),
    ],
)
def test_what_is_not_taken(server: Server, name: str, body: bytes, status: int, message: str) -> None:
    found, answer = server.api("POST", f"clips?name={name}", body)
    assert found == status
    assert message in answer["error"]
    assert server.clips() == []
    assert not server.folder.exists() or list(server.folder.iterdir()) == []


def _raw(server: Server, head: str, body: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.address.port), timeout=30)
    path = f"/{server.address.token}/api/clips?name=a.mp4"
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.address.port}", head, "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)
    return connection


def test_a_size_that_is_not_announced_is_limited_too(server: Server) -> None:
    chunk = b"200\r\n" + b"x" * 0x200 + b"\r\n"
    with _raw(server, "Transfer-Encoding: chunked", 3 * chunk) as connection:
        assert b" 413 " in connection.recv(100)
    assert list(server.folder.iterdir()) == []


def test_a_browser_that_closes_in_the_middle_leaves_nothing(server: Server) -> None:
    with _raw(server, "Content-Length: 900", b"x" * 500):
        end = time.monotonic() + 20
        while not list(server.folder.rglob("a.mp4")):
            assert time.monotonic() < end
            time.sleep(0.02)
    while list(server.folder.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert server.clips() == []
