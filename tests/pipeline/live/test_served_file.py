"""`videopose live` on the URL of a video file: it is a file with an end, and no camera."""

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest

from videopose.errors import InputError
from videopose.pipeline.live import stream
from videopose.pipeline.live.camera import open_camera
from videopose.pipeline.live.grabber import Grabber

FRAMES = 40
Serve = Callable[[float], str]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of noise at 20 frames a second, in Matroska, which can be read from its begin on."""
    path = tmp_path_factory.mktemp("served") / "film.mkv"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(20))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for _ in range(FRAMES):
            image = noise.integers(0, 255, (64, 96, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def serve(film: bytes) -> Iterator[Serve]:
    """Return a function that serves a part of the film and gives its URL."""
    opened: list[ThreadingHTTPServer] = []

    def start(part: float) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(film)))
                self.end_headers()
                self.wfile.write(film[: int(part * len(film))])

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        opened.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/film.mkv"

    yield start
    for server in opened:
        server.shutdown()
        server.server_close()


def test_it_comes_at_its_own_pace(serve: Serve) -> None:
    camera = open_camera(serve(1))
    assert (camera.first, camera.path, camera.rate) == (None, None, 20.0)
    frames = camera.frames()
    assert next(frames).time == 0
    begin = time.monotonic()
    rest = list(frames)
    assert time.monotonic() - begin >= 0.9 * (FRAMES - 2) / 20
    assert [frame.index for frame in rest] == list(range(1, FRAMES))
    np.testing.assert_allclose([frame.time for frame in rest], np.arange(1, FRAMES) / 20, atol=0.002)
    camera.close()


def test_every_frame_is_lifted_or_counted(serve: Serve) -> None:
    camera = open_camera(serve(1), paced=False)
    grabber = Grabber(camera, every_frame=True, hold_first=True)
    assert len(list(grabber)) == FRAMES
    camera.close()
    camera = open_camera(serve(1))
    grabber, taken = Grabber(camera, hold_first=True), 0
    for frame in grabber:
        taken += 1
        time.sleep(0.3 if frame.index == 0 else 0.08)  # slower than the film
    assert 1 < taken < FRAMES
    assert taken + grabber.dropped == FRAMES
    camera.close()


def test_a_file_that_breaks_off_is_not_begun_again(serve: Serve) -> None:
    said: list[str] = []
    camera = open_camera(serve(0.5), paced=False, report=said.append)
    frames = []
    with pytest.raises(InputError, match=r"broke off after \d+ frames, \d\.\d of 2\.0 seconds .*download"):
        frames.extend(camera.frames())
    camera.close()
    assert said == []


def test_it_can_be_closed_while_another_thread_waits_for_its_next_picture(
    film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_PATIENCE", 1.5)
    stalled, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(film[: len(film) // 2])
            over.wait(20)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = stream.Stream(f"http://127.0.0.1:{server.server_port}/film.mkv", paced=False)
        taken: list[int] = []

        def read() -> None:
            for frame in source.frames():
                taken.append(frame.index)
                stalled.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert stalled.wait(10)
        time.sleep(0.3)  # until it has read what there is
        source.close()
        reader.join(20)
        over.set()
        server.shutdown()
    assert not reader.is_alive()
    assert 0 < len(taken) < FRAMES
    with pytest.raises(AssertionError, match="not open"):
        source._container.seek(0)
