"""Measure the time of the built-in detector relative to that of its network alone.

    python benchmarks/detector_speed.py [--rounds 4] [--threads N] [--device cpu] [--everyone]

All sides take turns in one run, a block of frames each, on frames of the demo clip. The first side is the
whole detector (MultiPose at its usual interval, crops, Thunder, decoding), which follows one person. The last
is onnxruntime alone, which runs the same Thunder graph on a crop made beforehand, once for each person that
was followed. `--everyone` adds the detector that follows everybody, as `--people all` has it, so that it goes
on looking for others, and the same without the further glances of `detectors/movenet/glances.py`. A block has
two searches, one of them with a further glance. Printed are milliseconds of the processor a frame, and the
ratio to the network, as median and quartiles over the blocks. The ratio for one person should stay below 1.3.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from unittest.mock import patch

import numpy as np

from videopose.detectors.crop import Crop
from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.movenet.refiner import SIZE
from videopose.detectors.movenet.schedule import Look, Schedule
from videopose.detectors.movenet.session import open_session
from videopose.detectors.people import Image, People
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.video.reader import open_video

BLOCK = 40  # frames: twice the detector's look_interval
BLOCKS = 3  # of the clip: until the man jumps
ONE, EVERYONE, WITHOUT = "one person", "everyone", "everyone, no further glances"


class Side:
    """One of the detectors, which goes on through the clip block by block."""

    def __init__(self, detector: MoveNet, images: list[Image], *, glances: bool) -> None:
        self._glances = glances
        self._people: Iterator[People] = detector.detect(iter(images))

    def block(self) -> int:
        """Find the people of the next frames; return how many were followed, over all of them."""
        if self._glances:
            return sum(len(next(self._people)) for _ in range(BLOCK))
        with patch.object(Schedule, "next", _only_whole):
            return sum(len(next(self._people)) for _ in range(BLOCK))


_next = Schedule.next


def _only_whole(schedule: Schedule, **state: Any) -> Look:
    look = _next(schedule, **state)
    return look if look is Look.NONE else Look.WHOLE


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="passes over the frames")
    parser.add_argument("--threads", type=int, default=None, help="of onnxruntime (default: its choice)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--everyone", action="store_true", help="also measure following everybody")
    options = parser.parse_args()

    multipose = fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")
    thunder = fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")
    with open_video(fetch("demo.mp4")) as video:
        images = [frame.image for frame in islice(video.frames(), (BLOCKS + 1) * BLOCK)]
    detectors = {
        name: MoveNet(
            multipose=multipose,
            thunder=thunder,
            max_people=1 if name == ONE else None,
            look_interval=BLOCK // 2,
            threads=options.threads,
            device=options.device,
        )
        for name in ((ONE, EVERYONE, WITHOUT) if options.everyone else (ONE,))
    }
    alone = open_session(*thunder, threads=options.threads, device=options.device)
    crop = Crop(650, 270, 500).cut(images[0], SIZE)[None].astype(np.int32)

    times: dict[str, list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        sides = {name: Side(each, images, glances=name != WITHOUT) for name, each in detectors.items()}
        for side in sides.values():  # finding people, and warming up
            side.block()
        for block in range(BLOCKS):
            followed: dict[str, int] = {}

            def follow(name: str) -> None:
                followed[name] = sides[name].block()  # noqa: B023 - called before the next round

            def network() -> None:
                for _ in range(BLOCK):
                    alone.run(None, {"input": crop})

            calls: dict[str, Callable[[], None]] = {
                name: (lambda name=name: follow(name))  # type: ignore[misc]
                for name in sides
            }
            spent = {}
            turns = [*calls.items(), ("Thunder alone", network)]
            for name, call in turns if block % 2 else reversed(turns):
                started = time.process_time()
                call()
                spent[name] = (time.process_time() - started) / BLOCK
                times[name].append(1000 * spent[name])
            for name in sides:
                ratios[name].append(spent[name] / (spent["Thunder alone"] * followed[name] / BLOCK))
    report(images[0], times, ratios, next(iter(detectors.values())).describe()["provider"])


def report(
    image: Image, times: dict[str, list[float]], ratios: dict[str, list[float]], provider: object
) -> None:
    """Print all sides and the ratios."""
    height, width = image.shape[:2]
    print(f"frames of {width}×{height}, {provider}, {len(times[ONE])} blocks of {BLOCK}")
    for name, values in times.items():
        print(f"{name:>28}  {_summary(values)} ms a frame")
        if name in ratios:
            print(f"{'for each of its people':>28}  {_summary(ratios[name])} times Thunder")
    if EVERYONE in times:
        more = np.array(times[EVERYONE]) / np.array(times[WITHOUT])
        print(f"{'further glances':>28}  {_summary(more.tolist())} times the time without them")


def _summary(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:6.2f}  ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
