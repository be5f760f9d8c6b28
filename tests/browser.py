"""A browser without a window, for tests of pages. They are skipped only where there is no browser."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EXECUTABLE = next(filter(None, map(shutil.which, NAMES)), None)
_MISSING = (
    "no Chromium is installed (Debian: apt install chromium)"
    if EXECUTABLE is None
    else "playwright is not installed (pip install playwright)"
    if importlib.util.find_spec("playwright") is None
    else ""
)

needs_browser = [pytest.mark.slow, pytest.mark.skipif(bool(_MISSING), reason=_MISSING)]
"""`pytestmark` of files that need a browser."""

# 3D without a graphics card, and playing without a click
_ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


PATIENCE = 120.0  # seconds, for machines that are busy with other work


class Tab:
    """An open page that keeps what went wrong in it and what it loaded."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("console", lambda message: message.type in ("error", "warning") and self._note(message.text))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, text: str) -> None:
        if "GPU stall due to ReadPixels" not in text:  # what taking a picture costs
            self.complaints.append(text)

    def close(self) -> None:
        self.page.context.close()

    def open(self, address: str) -> None:
        self.page.goto(address)

    def open_view(self, path: Path) -> None:
        """Open the page of `videopose view` and wait until it draws."""
        self.open(path.as_uri())
        self.wait("Number(document.body.dataset.pictures) > 2")

    def wait(self, condition: str, seconds: float = PATIENCE) -> None:
        """Wait until a JavaScript expression is true. (playwright's own way needs `eval`.)"""
        end = monotonic() + seconds
        while not self.run(condition):
            assert monotonic() < end, f"not in {seconds} seconds: {condition}; console: {self.complaints}"
            self.page.wait_for_timeout(40)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    def seek(self, time: float) -> None:
        """Go to a time, and wait until the video and two pictures show it."""
        self.run(f"videopose.player.seek({time}); window.before = Number(document.body.dataset.pictures)")
        self.wait("Number(document.body.dataset.pictures) > window.before + 2")
        self.wait("!document.querySelector('video')?.seeking")

    def picture(self, selector: str) -> NDArray[np.uint8]:
        """Return (H, W, 3) RGB: what an element looks like."""
        data = np.frombuffer(self.page.locator(selector).screenshot(), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


@contextmanager
def started() -> Iterator[Callable[..., Tab]]:
    """Start a browser; yield what opens an empty page in it. Its arguments are those of `new_context`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=_ARGUMENTS)
        try:
            yield lambda **context: Tab(chromium.new_context(**context).new_page())
        finally:
            chromium.close()


def coloured(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): which pixels have a strong colour, as limbs do and the floor does not."""
    return np.asarray(np.ptp(picture.astype(int), axis=2) > 60)
