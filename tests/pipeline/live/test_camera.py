import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from videopose.errors import InputError, UsageError
from videopose.pipeline.live.camera import File, open_camera


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(20))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for n in range(10):
            image = np.full((64, 96, 3), 20 * n, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_file_comes_at_its_own_pace(clip: Path) -> None:
    camera = open_camera(str(clip))
    assert (camera.name, camera.size, camera.rate, camera.path) == ("clip.mp4", (96, 64), 20.0, clip)
    begin = time.monotonic()
    frames = list(camera.frames())
    assert time.monotonic() - begin >= 0.44
    assert [frame.index for frame in frames] == list(range(10))
    assert frames[9].time == pytest.approx(0.45)
    camera.close()


def test_the_clock_of_a_file_begins_after_its_first_frame(clip: Path) -> None:
    camera = open_camera(str(clip))
    frames = camera.frames()
    assert next(frames).index == 0
    time.sleep(0.5)
    begin = time.monotonic()
    assert len(list(frames)) == 9
    assert time.monotonic() - begin >= 0.44
    camera.close()


def test_a_file_that_is_not_paced(clip: Path) -> None:
    camera = File(clip, paced=False)
    assert len(list(camera.frames())) == 10
    camera.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("97", "camera 97 cannot be opened; check that it is connected and not used by another program, or"),
        ("absent.mp4", "cannot read absent.mp4: there is no such file"),
        ("http://127.0.0.1:9/stream", "http://127.0.0.1:9/stream cannot be read as a video stream"),
        ("rtsp://127.0.0.1:9/stream", "rtsp://127.0.0.1:9/stream cannot be read as a video stream"),
    ],
)
def test_what_is_not_there_is_said_at_once(source: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    with pytest.raises(InputError) as error:
        open_camera(source)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert time.monotonic() - begin < 20
    assert capfd.readouterr().err == ""


def test_protocols_that_are_no_streams() -> None:
    with pytest.raises(UsageError, match="streams, found file://"):
        open_camera("file:///etc/passwd")


class Stalled:
    """In place of `cv2.VideoCapture`: a camera whose pictures stop until they are allowed."""

    def __init__(self, number: int) -> None:
        self.pictures, self.allowed, self.waits = 3, threading.Event(), threading.Event()
        self.released_while_read = False

    def isOpened(self) -> bool:
        return True

    def get(self, number: int) -> float:
        return 30.0

    def read(self) -> tuple[bool, np.ndarray]:
        self.pictures -= 1
        if self.pictures <= 0:
            self.waits.set()
            assert self.allowed.wait(20)
            self.waits.clear()
        return True, np.zeros((48, 64, 3), np.uint8)

    def release(self) -> None:
        self.released_while_read |= self.waits.is_set()
        self.pictures = -100


def test_a_camera_is_not_released_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.VideoCapture", Stalled)
    camera = open_camera("0")
    capture = camera._capture  # type: ignore[attr-defined]
    grabber = threading.Thread(target=lambda: list(camera.frames()), daemon=True)
    grabber.start()
    assert capture.waits.wait(20)
    camera.close()
    assert capture.pictures > -100  # not released yet
    capture.allowed.set()
    grabber.join(20)
    assert not grabber.is_alive()
    assert capture.pictures == -100
    assert not capture.released_while_read
