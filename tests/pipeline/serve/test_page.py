"""The page of `videopose serve` in a browser, from the drop of a video to the download of its motion."""

import base64
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from browser import Tab, coloured, needs_browser

pytestmark = needs_browser
OpenTab = Callable[..., Tab]
STATE = "document.querySelector('.clip')?.dataset.state"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server of the command line, on a folder of its own."""
    command = [sys.executable, "-m", "videopose", "serve", "--no-open", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--folder", str(tmp_path / "served")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    yield server.stdout.readline().strip(), server
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=30)
    assert server.returncode == 0, said


def drop(tab: Tab, path: Path) -> None:
    """Drop a file onto the page, as from a file manager."""
    data = base64.b64encode(path.read_bytes()).decode()
    transfer = tab.page.evaluate_handle(
        """([data, name]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
            transfer.items.add(new File([bytes], name, {type: "video/mp4"}));
            return transfer;
        }""",
        [data, path.name],
    )
    tab.page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def test_from_drop_to_download(
    address: tuple[str, object], clip: Path, open_tab: OpenTab, tmp_path: Path
) -> None:
    tab, other = open_tab(accept_downloads=True), open_tab()
    for each in (tab, other):
        each.open(address[0])
    drop(tab, clip)
    tab.wait(
        f"{STATE} === 'working' && /finding people/.test(document.querySelector('.state').textContent)", 120
    )
    tab.wait(f"{STATE} === 'choose'", 300)
    assert tab.run("document.querySelector('.state').textContent") == "2 people were found"
    tab.wait("[...document.querySelectorAll('.people img')].every((each) => each.naturalHeight === 300)")
    assert tab.run("[...document.querySelectorAll('.people input')].map((each) => each.checked)") == [
        True,
        False,
    ]
    tab.page.locator(".people input").nth(1).check()
    tab.page.click(".make")
    tab.wait(f"{STATE} === 'done'", 300)
    other.wait(f"{STATE} === 'done'")  # a second browser shows the same
    names = tab.run("[...document.querySelectorAll('.results a')].map((each) => each.textContent)")
    assert names == [
        *("clip.3d.mp4", "clip.0.bvh", "clip.1.bvh", "clip.glb", "clip.csv", "clip.npz"),
    ]
    for name in names:
        with tab.page.expect_download() as waiting:
            tab.page.click(f".results a[download='{name}']")
        waiting.value.save_as(tmp_path / name)
    assert (tmp_path / "clip.0.bvh").read_text().startswith("HIERARCHY")
    assert (tmp_path / "clip.glb").read_bytes()[:4] == b"glTF"
    assert (tmp_path / "clip.3d.mp4").read_bytes()[4:8] == b"ftyp"
    assert len((tmp_path / "clip.csv").read_text().splitlines()) > 46
    with np.load(tmp_path / "clip.npz", allow_pickle=False) as table:
        assert set(table["track"]) == {0, 1}
    tab.page.click(".look")
    frame = tab.page.frame_locator("#viewer-page")
    frame.locator("#play").wait_for()
    tab.page.wait_for_timeout(3000)
    assert coloured(tab.picture("#viewer-page")).sum() > 500
    tab.page.click("#close")
    tab.page.click(".remove")
    other.wait("document.querySelectorAll('.clip').length === 0")
    assert list((tmp_path / "served").iterdir()) == []
    assert tab.complaints == other.complaints == []
    for each in (tab, other):
        each.close()


def test_what_goes_wrong_is_said_on_the_page(
    address: tuple[str, "subprocess.Popen[str]"], clip: Path, open_tab: OpenTab, tmp_path: Path
) -> None:
    url, server = address
    tab = open_tab()
    tab.open(url)
    (tmp_path / "notes.txt").write_text("no video")
    drop(tab, tmp_path / "notes.txt")
    tab.wait("document.getElementById('problem').textContent.startsWith('expected a video')")
    (tmp_path / "broken.mp4").write_text("no video")
    drop(tab, tmp_path / "broken.mp4")
    tab.wait(f"{STATE} === 'failed'", 120)
    said = tab.run("document.querySelector('.state').textContent")
    assert said.startswith("cannot read broken.mp4: it is not a video")
    tab.page.click(".remove")
    tab.wait(f"{STATE} === undefined")
    drop(tab, clip)
    tab.wait(f"{STATE} === 'working'", 60)
    tab.page.click(".cancel")
    tab.wait(f"{STATE} === 'cancelled'")
    server.send_signal(signal.SIGINT)
    tab.wait("document.getElementById('problem').textContent.startsWith('The server has ended.')")
    server.wait(30)
    tab.close()


def test_a_wrong_token_is_a_clear_page(address: tuple[str, object], open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.open(address[0].rstrip("/") + "x/")
    assert tab.run("document.querySelector('h1').textContent") == "This address is not complete"
    tab.close()
