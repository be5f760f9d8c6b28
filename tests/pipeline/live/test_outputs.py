import errno
import io
import json
import socket
import threading

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from videopose.errors import OutputError
from videopose.lifting.cameras.level import ANKLE_HEIGHT
from videopose.pipeline.live.live_poses import LivePerson, LivePoses
from videopose.pipeline.live.live_world import LiveWorld
from videopose.pipeline.live.osc import OscSender
from videopose.pipeline.live.outputs import InBackground, JsonLines, Vmc
from videopose.skeleton import H36M17

LFOOT = H36M17.index("lfoot")


def person(track: int, root: tuple[float, float, float] = (0, 0, 4), seed: int = 0) -> LivePerson:
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.3, (17, 3)).astype(np.float32)
    pose[0], pose[LFOOT] = 0, (0.1, 0.9, 0)
    keypoints = random.uniform(0, 500, (17, 3)).astype(np.float32)
    return LivePerson(track, keypoints, pose, np.array(root, np.float32), np.full(17, 0.5, np.float32))


def frame(*people: LivePerson, number: int = 0, dropped: int = 0) -> LivePoses:
    return LivePoses(number, number / 30, np.zeros((4, 4, 3), np.uint8), people, 1.0, 2.0, dropped)


def test_one_line_a_frame() -> None:
    file = io.StringIO()
    lines = JsonLines(file)
    shown = person(7)
    lines.show(frame(shown, dropped=3))
    lines.show(frame(person(7, (np.nan, np.nan, np.nan)), number=1))
    lines.show(frame(number=2))
    first, second, third = (json.loads(line) for line in file.getvalue().splitlines())
    assert (first["frame"], first["time"], first["dropped"]) == (0, 0, 3)
    assert (first["detect_ms"], first["lift_ms"]) == (1, 2)
    assert first["people"][0]["track"] == 7
    np.testing.assert_allclose(first["people"][0]["pose"], shown.pose, atol=1e-6)
    np.testing.assert_allclose(first["people"][0]["keypoints"], shown.keypoints, atol=1e-3)
    assert first["people"][0]["root"] == [0, 0, 4]
    assert second["people"][0]["root"] is None
    assert third["people"] == []


def test_the_floor_is_below_the_lowest_feet() -> None:
    world = LiveWorld()
    for number in range(30):
        joints = world.joints(frame(person(1), number=number))[1]
    lowest = min(joints[LFOOT, 2], joints[H36M17.index("rfoot"), 2])
    assert abs(lowest - ANKLE_HEIGHT) < 1e-5
    np.testing.assert_allclose(joints[0, :2], (0, 4), atol=1e-6)


def test_a_person_whose_root_is_not_known_stays() -> None:
    world, unknown = LiveWorld(), (np.nan, np.nan, np.nan)
    assert world.joints(frame(person(1, unknown))) == {}
    world.joints(frame(person(1, (1, 0, 5))))
    np.testing.assert_allclose(world.joints(frame(person(1, unknown)))[1][0, :2], (1, 5), atol=1e-6)
    world.joints(frame())
    assert world.joints(frame(person(1, unknown))) == {}


def test_vmc_keeps_to_one_person() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        vmc = Vmc(OscSender(f"127.0.0.1:{listener.getsockname()[1]}"))

        def hips(*people: LivePerson, number: int) -> float:
            vmc.show(frame(*people, number=number))
            bones = {each.params[0]: each.params for each in OscBundle(listener.recv(65536))}
            return float(bones["Hips"][1])

        assert hips(person(2, (1, 0, 5)), number=0) < -0.5
        assert hips(person(1, (-1, 0, 5)), person(2, (1, 0, 5)), number=1) < -0.5
        assert hips(person(1, (-1, 0, 5)), number=2) > 0.5
        vmc.show(frame(number=3))  # no person: nothing is sent
        vmc.close()


class Slow:
    """An output that takes its time, until it is allowed."""

    def __init__(self) -> None:
        self.begun, self.allowed, self.closed = threading.Semaphore(0), threading.Semaphore(0), False
        self.shown: list[int] = []

    def show(self, poses: LivePoses) -> None:
        self.shown.append(poses.frame)
        self.begun.release()
        self.allowed.acquire()

    def close(self) -> None:
        self.closed = True


def test_no_frame_waits_for_a_slow_output() -> None:
    slow = Slow()
    output = InBackground(slow)
    output.show(frame(number=0))
    assert slow.begun.acquire(timeout=10)
    for number in range(1, 6):
        output.show(frame(number=number))
    slow.allowed.release()
    slow.allowed.release()
    output.close()
    assert slow.shown == [0, 5]
    assert slow.closed


def test_an_error_of_an_output_in_the_background_ends_the_run() -> None:
    class Failing(Slow):
        def show(self, poses: LivePoses) -> None:
            raise OutputError("the avatar is gone")

    failing = Failing()
    output = InBackground(failing)
    output.show(frame(number=0))
    output.close()  # waits for the thread
    with pytest.raises(OutputError, match="the avatar is gone"):
        output.show(frame(number=1))
    assert failing.closed


def test_lines_that_cannot_be_written() -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="cannot write the lines of --json: No space left on device"):
        JsonLines(Full()).show(frame())
