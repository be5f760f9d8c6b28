"""`videopose live` on a camera in the network: ffmpeg sends the clip over HTTP, goes away, and comes back."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from videopose.errors import InputError
from videopose.pipeline.live import stream
from videopose.pipeline.live.stream import Stream

pytestmark = pytest.mark.slow
MUXERS = {"mjpg": ["-c:v", "mjpeg", "-q:v", "4", "-f", "mpjpeg"], "ts": ["-c:v", "libx264", "-f", "mpegts"]}


def free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


class NetworkCamera:
    """A camera that sends a clip again and again, to one program at a time."""

    def __init__(self, clip: Path, kind: str = "mjpg") -> None:
        self.url = f"http://127.0.0.1:{free_port()}/camera.{kind}"
        self._command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip)),
            *("-vf", "scale=320:-2", "-preset", "ultrafast", "-g", "15", "-tune", "zerolatency"),
            *(*MUXERS[kind], "-listen", "1", self.url),
        ]
        self._sender: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._sender = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()


@pytest.fixture
def camera(clip: Path) -> Iterator[NetworkCamera]:
    made = NetworkCamera(clip)
    made.start()
    yield made
    made.stop()


def opened(url: str, report: Callable[[str], None] = lambda line: None) -> Stream:
    """Open a stream as soon as its sender listens."""
    for _ in range(100):
        try:
            return Stream(url, report)
        except InputError:
            threading.Event().wait(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.parametrize("kind", MUXERS)
def test_a_stream_that_breaks_off_and_comes_back(clip: Path, kind: str) -> None:
    camera = NetworkCamera(clip, kind)
    said: list[str] = []
    camera.start()
    source = opened(camera.url, said.append)
    assert source.size == (320, 180)
    frames = source.frames()
    before = [next(frames) for _ in range(10)]
    camera.stop()
    threading.Timer(1.5, camera.start).start()
    after = []
    while not (said and said[-1].endswith("is back") and len(after) > 5):
        after.append(next(frames))
    source.close()
    camera.stop()
    assert "broke off after" in said[0]
    assert [frame.index for frame in [*before, *after]] == list(range(len(before) + len(after)))
    assert all(frame.image.shape == (180, 320, 3) for frame in after)
    times = [frame.time for frame in [*before, *after]]
    assert times == sorted(times)


def test_a_stream_that_stays_away(camera: NetworkCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(camera.url)
    monkeypatch.setattr(stream, "_PATIENCE", 1.0)
    frames = source.frames()
    next(frames)
    camera.stop()
    with pytest.raises(InputError, match=r"broke off after \d+ frames .* did not come back within 1 seconds"):
        for _ in frames:
            pass
    source.close()


def test_the_command_reads_it(camera: NetworkCamera) -> None:
    words = ["live", "--camera", camera.url, "--json", "--no-page"]
    command = [sys.executable, "-m", "videopose", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as live:
        assert live.stdout is not None
        assert live.stderr is not None
        overdue = threading.Timer(120, live.kill)  # so that a failure does not wait for ever
        overdue.daemon = True
        overdue.start()
        lines: list[Any] = [json.loads(live.stdout.readline()) for _ in range(5)]
        assert lines[0]["frame"] == 0
        camera.stop()
        camera.start()
        index = lines[-1]["frame"]
        while len(lines) < 60:
            lines.append(json.loads(live.stdout.readline()))
        camera.stop()
        said = live.stderr.read()  # it waits ten seconds for the camera, and ends
        assert live.wait(60) == 3
        overdue.cancel()
    assert f"{camera.url} is back" in said
    assert "did not come back within 10 seconds" in said.splitlines()[-1]
    assert lines[-1]["frame"] > index
    assert sum(bool(line["people"]) for line in lines) > 30
