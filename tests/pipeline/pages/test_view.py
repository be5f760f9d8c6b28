"""The page of a pose table, in a browser."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from walking import table_of, walking

from browser import Tab, coloured, needs_browser
from videopose.lifting.pose_table import PoseTable

OpenTab = Callable[..., Tab]
pytestmark = needs_browser
WINDOW = {"viewport": {"width": 1100, "height": 760}, "color_scheme": "light"}

# how many pixels of the keypoints over the video have a strong colour
_STRONG = """(() => {
    const canvas = document.getElementById("overlay");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        const pixel = [data[i], data[i + 1], data[i + 2]];
        count += data[i + 3] > 250 && Math.max(...pixel) - Math.min(...pixel) > 150;
    }
    return count;
})()"""


@pytest.fixture(scope="module")
def folder(finished: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip, its table, and its page."""
    from videopose.pipeline.pages.view import view

    folder = Path(shutil.copytree(finished[0], tmp_path_factory.mktemp("page") / "a b#1"))
    view(folder / "clip.npz")
    return folder


@pytest.fixture(scope="module")
def tab(folder: Path, open_tab: OpenTab) -> Iterator[Tab]:
    opened = open_tab(**WINDOW)
    opened.open_view(folder / "clip.html")
    opened.wait("document.querySelector('video').readyState >= 2")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def console(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a message in the console."""
    yield
    if "tab" in request.fixturenames:
        assert request.getfixturevalue("tab").complaints == []


def test_nothing_is_loaded_from_a_network(tab: Tab) -> None:
    assert {url.partition(":")[0] for url in tab.requests} <= {"file", "data", "blob"}
    assert tab.run("document.title") == "clip"


def test_people_are_drawn_and_can_be_hidden(tab: Tab) -> None:
    tab.seek(0.5)
    assert coloured(tab.picture("#scene-panel")).sum() > 300
    assert tab.run("[...document.querySelectorAll('.person')].map(b => b.textContent)") == [
        "person 0",
        "person 1",
    ]
    for key in "12":
        tab.page.keyboard.press(key)
    tab.seek(0.6)
    assert coloured(tab.picture("#scene-panel")).sum() == 0
    for key in "12":
        tab.page.keyboard.press(key)
    tab.seek(0.5)
    assert coloured(tab.picture("#scene-panel")).sum() > 300


def test_the_camera_shows_people_where_the_video_does(tab: Tab, folder: Path) -> None:
    tab.page.keyboard.press("c")
    tab.seek(0.5)
    try:
        drawn = np.argwhere(coloured(tab.picture("#scene-panel")))
    finally:
        tab.page.keyboard.press("c")
    table = PoseTable.load(folder / "clip.npz")
    points = table.keypoints[table.frame == 15][..., :2].reshape(-1, 2)
    width, height = tab.run(
        "(() => { const {width, height} = document.querySelector('#scene').getBoundingClientRect();"
        "return [width, height]; })()"
    )
    scale = min(width / table.size[0], height / table.size[1])
    margin = np.array([width - scale * table.size[0], height - scale * table.size[1]]) / 2
    expected = np.concatenate([points.min(0), points.max(0)]) * scale + np.tile(margin, 2)
    found = np.concatenate([drawn.min(0)[::-1], drawn.max(0)[::-1]])
    assert np.abs(found - expected).max() < 0.06 * width


def test_the_video_shows_the_frame_of_the_position(tab: Tab) -> None:
    for frame in (0, 7, 44, 21):
        tab.seek(frame / 30)
        at = tab.run("document.querySelector('video').currentTime")
        assert int(at * 30) == frame
        assert tab.run("document.getElementById('time').textContent").endswith(f"frame {frame}")


def test_playing_and_its_keys(tab: Tab) -> None:
    tab.seek(0)
    tab.page.keyboard.press("ArrowRight")
    assert tab.run("videopose.player.time") == pytest.approx(1 / 30, abs=1e-3)
    tab.run("videopose.player.setSpeed(0.1)")  # so that the end is far away
    tab.page.keyboard.press(" ")
    assert tab.run("document.body.dataset.playing") == "true"
    tab.wait("videopose.player.time > 0.1")
    tab.page.keyboard.press(" ")
    assert tab.run("document.body.dataset.playing") == "false"
    tab.run("videopose.player.setSpeed(1)")
    tab.page.keyboard.press("End")
    assert tab.run("videopose.player.time") == pytest.approx(1.5, abs=1e-3)
    tab.page.keyboard.press("ArrowLeft")
    tab.wait("document.getElementById('time').textContent.endsWith('frame 44')")
    for key, speed in (("-", 0.5), ("-", 0.25), ("+", 0.5), ("+", 1)):
        tab.page.keyboard.press(key)
        assert tab.run("videopose.player.speed") == speed
        assert tab.run("document.querySelector('video').playbackRate") == speed
    tab.page.keyboard.press("Home")
    tab.page.keyboard.press(" ")
    tab.wait("document.body.dataset.playing === 'false'")  # it stops at the end by itself
    assert tab.run("videopose.player.time") == pytest.approx(1.5, abs=1e-3)


def test_the_slider_seeks(tab: Tab) -> None:
    box = tab.page.locator("#slider").bounding_box()
    assert box is not None
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert tab.run("videopose.player.time") == pytest.approx(0.75, abs=0.05)


def test_curves_of_the_chosen_angle(tab: Tab, folder: Path) -> None:
    from videopose.lifting.exports.angles import joint_angles
    from videopose.lifting.exports.tracks import tracks_in_world

    tab.seek(0.5)
    tab.page.select_option("#curve-kind", "elbow_flexion")
    tab.page.select_option("#curve-person", "1")
    tab.seek(0.5)
    track = tracks_in_world(PoseTable.load(folder / "clip.npz"))[1]
    angles = joint_angles(track.joints)
    row = int(np.flatnonzero(track.frames == 15)[0])
    left, right = (f"{angles[f'elbow_flexion_{side}'][row]:.0f}°" for side in ("left", "right"))
    assert tab.run("document.getElementById('readout').textContent").split() == ["left", left, "right", right]
    assert coloured(tab.picture("#curve")).sum() > 200


def test_dark_light_trails_and_turning(tab: Tab) -> None:
    tab.seek(1)
    assert tab.picture("#scene-panel")[5, 5].min() > 200
    tab.page.keyboard.press("d")
    tab.seek(1)
    assert tab.picture("#scene-panel")[5, 5].max() < 60
    tab.page.keyboard.press("d")
    tab.seek(1)
    before = coloured(tab.picture("#scene-panel"))
    tab.page.keyboard.press("t")
    tab.seek(1)
    with_trails = coloured(tab.picture("#scene-panel"))
    assert with_trails.sum() > before.sum()
    tab.page.keyboard.press("t")
    box = tab.page.locator("#scene-panel").bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + 200, box["y"] + 200)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 330, box["y"] + 220, steps=4)
    tab.page.mouse.up()
    tab.seek(1)
    assert (coloured(tab.picture("#scene-panel")) != before).sum() > 200
    tab.page.keyboard.press("r")
    tab.seek(1)
    assert (coloured(tab.picture("#scene-panel")) != before).sum() < 40


def test_damaged_frames_and_interpolated_people(folder: Path, open_tab: OpenTab) -> None:
    from videopose.pipeline.pages.view import view

    table = PoseTable.load(folder / "clip.npz")
    filled = (table.frame >= 30) & (table.frame < 40)
    meta = {**table.meta, "damaged": {"frames": [10, 11, 12], "warning": "damaged"}}
    replace(table, filled=filled, meta=meta).save(folder / "damaged.npz")
    tab = open_tab(**WINDOW)
    tab.open_view(view(folder / "damaged.npz"))
    tab.wait("document.querySelector('video').readyState >= 2")
    shown = "document.getElementById('mark').hidden ? '' : document.getElementById('mark').textContent"
    for frame, text in ((9, ""), (10, "damaged frame"), (12, "damaged frame"), (13, "")):
        tab.seek(frame / 30)
        assert tab.run(shown) == text, frame
        assert tab.run("document.body.classList.contains('damaged')") == bool(text)
    assert tab.run("document.getElementById('legend').textContent") == "damagedleftrightinterpolated"
    bars = tab.picture("#bars").astype(int)
    marked = np.abs(bars - (240, 180, 0)).max(2) < 30
    columns = np.flatnonzero(marked.any(0)) / marked.shape[1]
    assert columns.min() == pytest.approx(10 / 45, abs=0.02)
    assert columns.max() == pytest.approx(13 / 45, abs=0.02)
    assert tab.complaints == []  # before this test's own readbacks, which cause one
    strong = []
    for frame in (29, 35):
        tab.seek(frame / 30)
        strong.append((coloured(tab.picture("#scene")).sum(), tab.run(_STRONG)))
    (scene, overlay), (pale_scene, pale_overlay) = strong
    assert pale_scene < 0.5 * scene
    assert pale_overlay < 0.5 * overlay
    tab.close()


def test_nothing_is_drawn_while_nothing_changes(tab: Tab) -> None:
    tab.seek(0.5)
    count = "Number(document.body.dataset.pictures)"
    tab.wait(f"(() => {{ const old = window.old; window.old = {count}; return old === window.old; }})()")
    tab.page.keyboard.press("t")
    tab.wait(f"{count} > window.old")
    tab.page.keyboard.press("t")


def test_a_pause_of_a_linked_video_is_short(
    images: list[Any], write_video: Callable[..., Path], tmp_path: Path, open_tab: OpenTab
) -> None:
    """The video pauses for 30 seconds; the page shows one, and the video jumps over the rest."""
    from videopose.pipeline.pages.view import ViewOptions, view

    stamps = np.arange(20) / 30 + np.where(np.arange(20) >= 10, 30, 0)
    video = write_video(tmp_path / "clip.mp4", images[:20], stamps=stamps)
    table = table_of({0: walking(20)["joints"]}, time=stamps)
    replace(table, size=(592, 332), meta={"video": {"name": "clip.mp4"}}).save(tmp_path / "clip.npz")
    tab = open_tab(**WINDOW)
    tab.open_view(view(tmp_path / "clip.npz", options=ViewOptions(video=video, embed=0)))
    tab.wait("document.querySelector('video').readyState >= 2")
    assert tab.run("videopose.player.duration") == pytest.approx(19 / 30 + 1 - 1 / 30, abs=1e-3)
    tab.seek(0.8)
    assert tab.run("document.getElementById('mark').textContent") == "pause, 29 s left out"
    tab.seek(0)
    tab.page.keyboard.press(" ")
    begun = monotonic()
    tab.wait("document.body.dataset.playing === 'false'")
    assert monotonic() - begun < 15
    assert tab.run("document.querySelector('video').currentTime") > 30
    assert tab.complaints == []
    tab.close()


def test_a_phone(folder: Path, open_tab: OpenTab) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
    tab = open_tab(**phone)
    tab.open_view(folder / "clip.html")
    assert tab.run("document.documentElement.scrollWidth") <= 390
    tab.page.locator("#play").tap()
    tab.wait("videopose.player.time > 0.2")
    boxes = [tab.page.locator(part).bounding_box() for part in ("#video-panel", "#scene-panel", "#play")]
    assert all(box is not None and box["height"] > 30 for box in boxes)
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]
    assert tab.complaints == []

    tab.close()


def test_a_linked_video_that_is_gone(
    folder: Path, videopose: Callable[..., Any], open_tab: OpenTab, tmp_path: Path
) -> None:
    page = folder / "linked.html"
    done = videopose("view", folder / "clip.npz", "--embed", "0", "-o", page)
    assert done.code == 0, done.err
    assert "note: the page links to" in done.err
    tab = open_tab(**WINDOW)
    tab.open_view(page)
    tab.wait("document.querySelector('video').readyState >= 2")
    tab.seek(0.5)
    assert int(tab.run("document.querySelector('video').currentTime") * 30) == 15
    assert tab.complaints == []
    tab.open_view(Path(shutil.copy(page, tmp_path)))
    tab.wait("!document.getElementById('video-error').hidden")
    assert "clip.mp4 cannot be shown" in tab.run("document.getElementById('video-error').textContent")
    tab.page.keyboard.press(" ")
    tab.wait("videopose.player.time > 0.2")  # without the video, the page's own clock runs
    tab.close()
