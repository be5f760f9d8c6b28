"""Measure the time of the built-in detector relative to that of its network alone, on one person.

    python benchmarks/detector_speed.py [--rounds 4] [--threads N] [--device cpu]

Both sides take turns in one run, a block of frames each. One side is the whole detector (MultiPose at its
usual interval, crops, Thunder, decoding) on frames of the demo clip. The other is onnxruntime alone, which
runs the same Thunder graph on a crop made beforehand. A block is as long as the interval of MultiPose, so
each contains one search. Printed are milliseconds a frame and their ratio, as median and quartiles over the
blocks. The ratio should stay below 1.3.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import islice

import numpy as np

from videopose.detectors.crop import Crop
from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.movenet.refiner import SIZE
from videopose.detectors.movenet.session import open_session
from videopose.detectors.people import Image
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.video.reader import open_video

BLOCK = 20  # frames; the detector's look_interval
BLOCKS = 6  # of the clip: until the man jumps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="passes over the frames")
    parser.add_argument("--threads", type=int, default=None, help="of onnxruntime (default: its choice)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()

    multipose = fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")
    thunder = fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")
    with open_video(fetch("demo.mp4")) as video:
        images = [frame.image for frame in islice(video.frames(), (BLOCKS + 1) * BLOCK)]
    detector = MoveNet(
        multipose=multipose,
        thunder=thunder,
        max_people=1,
        look_interval=BLOCK,
        threads=options.threads,
        device=options.device,
    )
    alone = open_session(*thunder, threads=options.threads, device=options.device)
    crop = Crop(650, 270, 500).cut(images[0], SIZE)[None].astype(np.int32)

    detected: list[float] = []
    network: list[float] = []
    for _ in range(options.rounds):
        people = detector.detect(iter(images))
        for _ in range(BLOCK):  # finding the person, and warming up
            next(people)
            alone.run(None, {"input": crop})
        for block in range(BLOCKS):
            sides: list[tuple[list[float], Callable[[], object]]] = [
                (detected, lambda: next(people)),  # noqa: B023 - called before the next round
                (network, lambda: alone.run(None, {"input": crop})),
            ]
            for times, step in sides if block % 2 else reversed(sides):
                started = time.perf_counter()
                for _ in range(BLOCK):
                    step()
                times.append((time.perf_counter() - started) / BLOCK)
    report(images[0], detected, network, detector.describe()["provider"])


def report(image: Image, detected: list[float], network: list[float], provider: object) -> None:
    """Print both sides and the ratio."""
    height, width = image.shape[:2]
    print(f"frames of {width}×{height}, one person, {provider}, {len(detected)} blocks of {BLOCK}")
    for name, values, unit in (
        ("detector", 1000 * np.array(detected), "ms a frame"),
        ("Thunder alone", 1000 * np.array(network), "ms a frame"),
        ("ratio", np.array(detected) / np.array(network), ""),
    ):
        low, middle, high = np.percentile(values, [25, 50, 75])
        print(f"{name:>14}  {middle:6.2f}  ({low:.2f} to {high:.2f}) {unit}".rstrip())


if __name__ == "__main__":
    main()
