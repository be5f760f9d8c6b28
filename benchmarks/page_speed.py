"""How fast the page of `videopose view` loads, and what a picture of it costs.

    python benchmarks/page_speed.py TABLE.npz

The motion of TABLE (two people of its sample clip, say) is repeated to one minute with video, and to five
minutes of four people. A headless Chromium opens both pages. The page's own work a picture is the time of its
`draw` until the commands are handed to the graphics card; it must stay below 16.7 ms for 60 pictures a
second. Without a graphics card, Chromium also draws on the processor, which the last number shows.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.pages.video_copy import LONGER_SIDE
from videopose.pipeline.pages.view import ViewOptions, view
from videopose.pipeline.progress import no_progress
from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.writer import VideoWriter

_MEASURE = """async () => {
    const { player, draw } = window.videopose;
    const times = [];
    for (let i = 0; i < 120; i++) {
        player.seek((i / 120) * player.duration);
        const begun = performance.now();
        draw(begun);
        times.push(performance.now() - begun);
        await new Promise((done) => setTimeout(done, 5));
    }
    times.sort((a, b) => a - b);
    return [times[60], times[114]];
}"""


def repeated(table: PoseTable, seconds: float, copies: int) -> PoseTable:
    """Return the motion again and again for so many seconds, and each person several times, side by side."""
    rate, frames = table.rate, len(table.time)
    turns = int(np.ceil(seconds * rate / frames))
    count = round(seconds * rate)
    names = ("track", "frame", "keypoints", "pose", "root", "filled", "confidence", "contact")
    parts: list[dict[str, Any]] = []
    for copy in range(copies):
        for turn in range(turns):
            rows = table.frame + turn * frames < count
            part = {name: getattr(table, name)[rows] for name in names}
            part["track"] = (part["track"] + 10 * copy).astype(np.int32)
            part["frame"] = (part["frame"] + turn * frames).astype(np.int32)
            part["root"] = (part["root"] + np.array([0, 0, 1.5 * copy])).astype(np.float32)
            parts.append(part)
    values: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in names}
    order = np.lexsort((values["frame"], values["track"]))
    ticks = np.arange(count) % frames
    return PoseTable(
        **{name: value[order] for name, value in values.items()},
        time=np.arange(count) / rate,
        size=table.size,
        intrinsics=table.intrinsics,
        meta=table.meta,
        camera_rotation=table.camera_rotation[ticks],
        camera_position=table.camera_position[ticks],
    )


def film(video: Path, output: Path, frames: int, rate: float) -> None:
    """Write a video of so many frames that repeats another, as small as the copy in a page."""
    with open_video(video) as opened:
        scale = min(1.0, LONGER_SIDE / max(opened.size))
        size = (round(opened.size[0] * scale), round(opened.size[1] * scale))
        images = [np.asarray(cv2.resize(f.image, size), np.uint8) for f in opened.frames()]
    with VideoWriter(output, size=size, rate=rate) as writer:
        for number in range(frames):
            writer.write(images[number % len(images)])


def measure(page: Path) -> tuple[float, float, float, float, float]:
    """Open a page.

    Returns:
        Seconds to the first picture, by the clock and of the main thread's processor; milliseconds a picture
        (median, 95 %); pictures a second.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(page.as_uri())
        while not tab.evaluate("Number(document.body.dataset.pictures ?? 0) > 0"):
            tab.wait_for_timeout(20)
        ready = tab.evaluate("performance.getEntriesByName('first-picture')[0].startTime") / 1000
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        median, high = tab.evaluate(_MEASURE)
        tab.evaluate("videopose.player.seek(0); videopose.player.play()")
        before, begun = tab.evaluate("[Number(document.body.dataset.pictures), performance.now()]")
        tab.wait_for_timeout(5000)
        after, ended = tab.evaluate("[Number(document.body.dataset.pictures), performance.now()]")
        browser.close()
        return ready, metrics["TaskDuration"], median, high, 1000 * (after - before) / (ended - begun)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="a pose table, with its video beside it")
    source = parser.parse_args().table
    table = PoseTable.load(source)
    video = source.with_name(table.meta["video"]["name"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        minute = repeated(table, 60, 1)
        film(video, folder / "minute.mp4", len(minute.time), table.rate)
        minute.save(folder / "minute.npz")
        repeated(table, 300, 2).save(folder / "five.npz")
        for stem, options in (
            ("minute", ViewOptions(video=folder / "minute.mp4")),
            ("five", ViewOptions(use_video=False)),
        ):
            page = view(folder / f"{stem}.npz", options=options, progress=no_progress)
            ready, work, median, high, rate = measure(page)
            print(
                f"{stem}: {page.stat().st_size / 1e6:.1f} MB, first picture after {ready:.2f} s "
                f"({work:.2f} s of the main thread), "
                f"{median:.1f} ms a picture ({high:.1f} at 95 %), {rate:.0f} pictures a second"
            )


if __name__ == "__main__":
    main()
