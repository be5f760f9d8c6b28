import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from videopose.errors import InputError
from videopose.pipeline.live.grabber import Grabber
from videopose.pipeline.video.reader import Frame

IMAGE = np.zeros((4, 4, 3), np.uint8)


class Made:
    """A camera whose frames come one by one, when they are allowed."""

    name, size, rate, path = "made", (4, 4), 30.0, None

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count, self.error = count, error
        self.allowed = threading.Semaphore(0)
        self.delivered = threading.Semaphore(0)

    def frames(self) -> Iterator[Frame]:
        for index in range(self.count):
            self.allowed.acquire()
            yield Frame(index, index / 30, IMAGE)
            self.delivered.release()
        if self.error:
            raise self.error

    def close(self) -> None:
        return

    def allow(self, count: int) -> None:
        for _ in range(count):
            self.allowed.release()
            if not self.delivered.acquire(timeout=5):
                raise AssertionError("the frame was not taken")


def test_while_a_frame_is_processed_the_newest_waits() -> None:
    camera = Made(9)
    grabber = Grabber(camera)
    frames = iter(grabber)
    camera.allowed.release()
    assert next(frames).index == 0
    camera.delivered.acquire()
    camera.allow(4)  # 1 to 4 come while frame 0 is processed
    assert next(frames).index == 4
    assert grabber.dropped == 3
    camera.allow(1)
    assert next(frames).index == 5
    camera.allow(3)
    assert [frame.index for frame in frames] == [8]
    assert grabber.dropped == 5


def test_with_every_frame_none_is_dropped() -> None:
    camera = Made(30)
    for _ in range(30):
        camera.allowed.release()
    grabber, indices = Grabber(camera, every_frame=True), []
    for frame in grabber:
        indices.append(frame.index)
        time.sleep(0.001)
    assert indices == list(range(30))
    assert grabber.dropped == 0


def test_a_camera_that_goes_away() -> None:
    camera = Made(2, InputError("camera 0 went away after 2 frames"))
    frames = iter(Grabber(camera, every_frame=True))
    for _ in range(2):
        camera.allowed.release()
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(InputError, match="went away after 2 frames"):
        next(frames)


@pytest.mark.parametrize("every_frame", [True, False])
def test_closing_ends_the_thread(every_frame: bool) -> None:
    camera = Made(1000)
    for _ in range(1000):
        camera.allowed.release()
    grabber = Grabber(camera, every_frame=every_frame)
    next(iter(grabber))
    grabber.close()
    assert not grabber._thread.is_alive()


def test_frames_before_the_first_that_is_asked_for_do_not_count() -> None:
    camera = Made(6)
    grabber = Grabber(camera)
    grabber.start()
    camera.allow(4)  # 0 to 3 come while the networks are loaded
    frames = iter(grabber)
    camera.allow(1)
    first = next(frames)
    assert (first.index, first.time, grabber.dropped) == (0, 0, 0)
    camera.allow(1)
    second = next(frames)
    assert (second.index, grabber.dropped) == (1, 0)
    assert second.time == pytest.approx(1 / 30)


def test_a_camera_that_is_held_waits_for_the_work_on_its_first_frame() -> None:
    camera = Made(3)
    for _ in range(3):
        camera.allowed.release()
    frames = iter(Grabber(camera, hold_first=True))
    assert next(frames).index == 0
    assert not camera.delivered.acquire(timeout=0.3)  # the camera has not gone on
    assert next(frames).index >= 1
    assert camera.delivered.acquire(timeout=5)
