"""The page of `videopose live` in a browser."""

import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from browser import Tab, coloured, needs_browser
from videopose.pipeline.live.live_poses import LivePerson, LivePoses
from videopose.pipeline.live.page_server import PageServer
from videopose.skeleton import H36M17

pytestmark = needs_browser

# A standing person in camera space: x right, y down, z forward; root at 0.
POSE = {
    "hip": (0, 0, 0), "rhip": (-0.12, 0, 0), "rknee": (-0.12, 0.43, 0), "rfoot": (-0.12, 0.87, 0),
    "lhip": (0.12, 0, 0), "lknee": (0.12, 0.43, 0), "lfoot": (0.12, 0.87, 0), "spine": (0, -0.25, 0),
    "thorax": (0, -0.5, 0), "nose": (0, -0.65, -0.1), "head": (0, -0.78, 0), "lshoulder": (0.18, -0.47, 0),
    "lelbow": (0.45, -0.47, 0), "lwrist": (0.7, -0.47, 0), "rshoulder": (-0.18, -0.47, 0),
    "relbow": (-0.45, -0.47, 0), "rwrist": (-0.7, -0.47, 0),
}  # fmt: skip


def frame(number: int) -> LivePoses:
    """A person before a grey picture, and their keypoints on it."""
    pose = np.array([POSE[name] for name in H36M17.names], np.float32)
    root = np.array([0, 0, 4], np.float32)
    keypoints = np.ones((17, 3), np.float32)
    keypoints[:, :2] = 300 + 20 * np.arange(17)[:, None]
    person = LivePerson(0, keypoints, pose, root, np.ones(17, np.float32))
    image = np.full((720, 1280, 3), 128, np.uint8)
    cv2.rectangle(image, (1000, 500), (1200, 700), (255, 0, 0), -1)
    return LivePoses(number, number / 30, image, (person,), 20.0, 1.5, 3)


@pytest.fixture
def server() -> Iterator[PageServer]:
    """A server that gets frames until it is closed."""
    server, stop = PageServer("camera 0"), threading.Event()

    def show() -> None:
        number = 0
        while not stop.is_set():
            server.show(frame(number))
            number += 1
            time.sleep(0.03)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    yield server
    stop.set()
    thread.join()
    server.close()


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Iterator[Tab]:
    tab = open_tab(viewport={"width": 1000, "height": 600})
    yield tab
    tab.close()


def test_picture_and_3d_come(server: PageServer, tab: Tab) -> None:
    tab.open(server.url)
    tab.wait("Number(document.body.dataset.frames) > 3", 60)
    tab.wait("document.getElementById('status').textContent.includes('3 dropped')")
    assert "22 ms a frame" in tab.run("document.getElementById('status').textContent")
    picture = tab.picture("#picture").astype(int)
    red = (picture[..., 0] > 200) & (picture[..., 1] < 60) & (picture[..., 2] < 60)
    assert 0.005 < red.mean() < 0.05
    assert coloured(tab.picture("#scene")).mean() > 0.003
    assert tab.complaints == []
    assert all(request.startswith((server.url, "data:", "blob:")) for request in tab.requests)


def test_two_browsers_and_one_that_closes(server: PageServer, open_tab: Callable[..., Tab]) -> None:
    tabs = [open_tab(), open_tab()]
    for tab in tabs:
        tab.open(server.url)
        tab.wait("Number(document.body.dataset.frames) > 1", 60)
    tabs[0].close()
    before = tabs[1].run("Number(document.body.dataset.frames)")
    tabs[1].wait(f"Number(document.body.dataset.frames) > {before + 3}", 60)
    server.close()
    tabs[1].wait("document.body.dataset.ended === 'true'")
    assert "ended" in tabs[1].run("document.getElementById('status').textContent")
    tabs[1].close()


def test_a_wrong_token_is_told(server: PageServer, tab: Tab) -> None:
    tab.open(server.url[:-3] + "/")
    assert "token in the address is missing or wrong" in tab.run("document.body.textContent")


def test_keypoints_can_be_hidden_and_the_theme_changed(server: PageServer, tab: Tab) -> None:
    tab.open(server.url)
    tab.wait("Number(document.body.dataset.frames) > 1", 60)
    shown = coloured(tab.picture("#picture")).sum()
    tab.page.click("#keypoints")
    tab.page.wait_for_timeout(300)
    assert coloured(tab.picture("#picture")).sum() < shown
    before = tab.run("document.documentElement.dataset.theme")
    tab.page.click("#theme")
    assert tab.run("document.documentElement.dataset.theme") != before
    assert tab.complaints == []
